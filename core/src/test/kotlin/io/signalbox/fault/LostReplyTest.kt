package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.signalbox.history.admissions
import io.signalbox.history.audit
import io.signalbox.history.auditedScripts
import io.signalbox.history.only
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin

/** The server executes an exchange, and the client never hears of it: whatever it carried has happened once. */
class LostReplyTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("a semaphore whose creation is not answered is created once, with one session") {
        onStage {
            load(auditedScripts)
            val lost = AtomicBoolean()
            proxy.onRequest { connection, request ->
                if (String(auditedScripts.open.sha) in request && lost.compareAndSet(false, true)) connection.loseNextReply()
            }
            val semaphore = client(proxied, scripts = auditedScripts).semaphore("lost", 3)

            lost.get() shouldBe true
            redis.audit("lost").only("open") shouldHaveSize 2
            redis.audit("lost").only("created") shouldHaveSize 1
            stored("lost").members("sessions") shouldHaveSize 1
            semaphore.acquire().release() shouldBe true
        }
    }

    test("an acquire whose answer is lost is granted once") {
        onStage {
            load(auditedScripts)
            val semaphore = client(proxied, scripts = auditedScripts).semaphore("lost", 3)
            val lost = proxy.loseReplyOnce(auditedScripts) { it.acquires > 0 }

            val permit = semaphore.acquire()

            lost.get() shouldBe true
            redis.audit("lost").admissions() shouldBe 1
            permit.release() shouldBe true
            stored("lost").awaitNothing()
        }
    }

    test("an acquire that waits, and whose answer is lost, is admitted once") {
        onStage {
            load(auditedScripts)
            val holder = client(scripts = auditedScripts).semaphore("lost", 1).acquire()
            val semaphore = client(proxied, scripts = auditedScripts).semaphore("lost", 1)
            val lost = proxy.loseReplyOnce(auditedScripts) { it.acquires > 0 }
            val waiter = async { semaphore.acquire() }
            stored("lost").awaitQueued(1)
            holder.release()

            waiter.await().release() shouldBe true

            lost.get() shouldBe true
            redis.audit("lost").only("queued") shouldHaveSize 0
            redis.audit("lost").admissions() shouldBe 2
            stored("lost").awaitNothing()
        }
    }

    test("a release whose answer is lost is confirmed, and gives back one permit") {
        onStage {
            val semaphore = client(proxied).semaphore("lost", 3)
            val kept = semaphore.acquire()
            val released = semaphore.acquire()
            val lost = proxy.loseReplyOnce { it.returned > 0 }

            released.release() shouldBe true

            lost.get() shouldBe true
            stored("lost").held shouldBe 1
            kept.release() shouldBe true
        }
    }

    test("permits whose adding is not answered are added once") {
        onStage {
            val semaphore = client(proxied).semaphore("lost", 1) { bounded = false }
            val lost = proxy.loseReplyOnce { it.commands > 0 }

            semaphore.addPermits(5) shouldBe 6

            lost.get() shouldBe true
            semaphore.permits() shouldBe 6
        }
    }

    test("an acquire that is cancelled, and whose goodbye to the queue is not answered, leaves nothing") {
        onStage {
            val holder = client().semaphore("lost", 1).acquire()
            // Whose turn it is, so that the other one has a place in the queue.
            val first = async { client().semaphore("lost", 1).acquire().release() }
            stored("lost").awaitQueued(1)
            val semaphore = client(proxied).semaphore("lost", 1)
            val waiter = async { semaphore.acquire() }
            stored("lost").awaitQueued(2)
            val lost = proxy.loseReplyOnce { it.leaves > 0 }

            waiter.cancelAndJoin()

            eventually(30.seconds) { lost.get() shouldBe true }
            stored("lost").awaitQueued(1)
            holder.release()
            first.await() shouldBe true
            semaphore.acquire().release() shouldBe true
            stored("lost").awaitNothing()
        }
    }

    test("an acquire that is cancelled in its turn, and whose word of it is not answered, leaves nothing") {
        onStage {
            val holder = client().semaphore("lost", 1).acquire()
            val semaphore = client(proxied).semaphore("lost", 1)
            val waiter = async { semaphore.acquire() }
            stored("lost").awaitQueued(1)
            val lost = proxy.loseReplyOnce { it.passed > 0 }

            waiter.cancelAndJoin()

            eventually(30.seconds) { lost.get() shouldBe true }
            stored("lost").awaitQueued(0)
            holder.release()
            semaphore.acquire().release() shouldBe true
            stored("lost").awaitNothing()
        }
    }

    test("a place given up just when it is granted, the answer being lost, gives the permit back") {
        onStage {
            load(auditedScripts)
            val holder = client(scripts = auditedScripts).semaphore("lost", 1).acquire()
            val semaphore = client(proxied, scripts = auditedScripts).semaphore("lost", 1)
            val waiter = async { semaphore.acquire() }
            stored("lost").awaitQueued(1)
            // Its goodbye waits in the network until the server has granted to it.
            proxy.holdRequests()
            val lost = proxy.loseReplyOnce(auditedScripts) { true }
            waiter.cancelAndJoin()
            holder.release()
            proxy.releaseRequests()

            stored("lost").awaitNothing()
            semaphore.acquire().release() shouldBe true
            redis.audit("lost").admissions() shouldBe 3
            lost.get() shouldBe true
        }
    }
})
