package io.signalbox.cluster

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.collections.shouldNotContain
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.behaviour.PATIENCE
import kotlinx.coroutines.async

/** Masters that die, and their heirs. */
class MasterFailureTest : FunSpec({
    test("holders keep their permits when the master dies, and waiters are served by its heir, whichever node their inbox was on") {
        onCluster {
            val holding = client().semaphore("api", 2)
            val others = client()
            val waiting = others.semaphore("api", 2)
            val event = client().event("done")
            val permits = List(2) { holding.acquire() }
            val waiter = async { waiting.acquire() }
            waiting.awaitQueue(1)
            event.set()
            val owner = ownerOf("api")
            awaitReplication(owner)
            awaitReplication(ownerOf("done"))

            val heir = cluster.kill(owner)

            permits[0].release() shouldBe true
            val granted = waiter.await()
            granted.fencingToken shouldBeGreaterThan permits.maxOf { it.fencingToken }
            permits[1].isLost shouldBe false
            others.semaphore("api", 2).tryAcquire() shouldBe null
            permits[1].release() shouldBe true
            granted.release() shouldBe true
            event.tryAwait(PATIENCE) shouldBe true

            // What was the master is taken back as a replica, and nothing is asked of it.
            cluster.restart(owner)
            waiting.tryAcquire().shouldNotBeNull().release() shouldBe true
            cluster.masters shouldNotContain owner

            // And the other way round, in an orderly way, with the inbox of who waits on the node that goes.
            val held = List(2) { holding.acquire() }
            val next = async { waiting.acquire() }
            waiting.awaitQueue(1)
            eventually(PATIENCE) { inboxes() shouldHaveSize 1 }
            cluster.failOver(inboxes().single())
            if (ownerOf("api") === heir) cluster.failOver(heir)
            held.forEach { it.release() shouldBe true }
            next.await().release() shouldBe true
        }
    }
})
