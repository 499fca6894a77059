package io.signalbox

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.testkit.Fsync
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.withContext

/** Grants that have to be elsewhere too before an acquire returns. */
class DurabilityTest : FunSpec({
    test("an acquire returns when a replica has the grant; without one in time it is given back, and nobody else waits for that") {
        withContext(Dispatchers.Default) {
            RedisServer.start { }.use { server ->
                RedisServer.start { replicaOf(server) }.use { replica ->
                    val careful = Signalbox.connect(server.uri) { durability = Durability.replicated(1, timeout = 3.seconds) }
                    val semaphore = careful.semaphore("api", 3)
                    List(20) { async { semaphore.acquire().release() } }.awaitAll()
                    val permit = semaphore.acquire()
                    // What it has is what was granted, and not only what was asked for.
                    replica.command("HGET", "signalbox:sem:{api}:2:state", "plain") shouldBe "1"
                    careful.mutex("report").withLock { it.fencingToken } shouldNotBe 0

                    replica.freeze()
                    val refused = async { shouldThrow<StoreUnavailableException> { semaphore.acquire() } }
                    eventually(30.seconds) { semaphore.availablePermits() shouldBe 1 }
                    // The other connection is not held up, however long the question takes.
                    permit.release() shouldBe true
                    refused.isCompleted shouldBe false
                    refused.await().message.let {
                        it shouldContain "'api' was given back"
                        it shouldContain "0 of 1 replicas"
                    }
                    shouldThrow<StoreUnavailableException> { semaphore.tryAcquire() }
                    semaphore.tryAcquire(timeout = 100.milliseconds) shouldBe null
                    eventually(30.seconds) { semaphore.availablePermits() shouldBe 3 }

                    replica.thaw()
                    semaphore.acquire().release() shouldBe true
                    careful.closeAndJoin()
                    replica.command("EXISTS", "signalbox:barrier:{api}") shouldBe "1"
                }
            }
        }
    }

    test("on the disk of the primary, where the server can tell; else the acquire says what is missing") {
        RedisServer.start { appendOnly(Fsync.EVERY_SECOND) }.use { server ->
            val signalbox = Signalbox.connect(server.uri) { durability = Durability.onDisk(timeout = 20.seconds) }
            val knowsIt = runCatching { server.command("WAITAOF", "0", "0", "1") }.isSuccess
            val semaphore = signalbox.semaphore("api", 1)
            if (knowsIt) {
                semaphore.acquire().release() shouldBe true
            } else {
                shouldThrow<StoreUnavailableException> { semaphore.acquire() }.message shouldContain "WAITAOF"
            }
            eventually(30.seconds) { semaphore.availablePermits() shouldBe 1 }
            signalbox.closeAndJoin()
        }
    }

    test("what cannot be is refused by value") {
        shouldThrow<IllegalArgumentException> { Durability.replicated(0) }.message shouldContain "from 1 to 100, but was 0"
        shouldThrow<IllegalArgumentException> { Durability.onDisk(-1) }.message shouldContain "-1"
        shouldThrow<IllegalArgumentException> { Durability.replicated(timeout = Duration.ZERO) }.message shouldContain "timeout"
        shouldThrow<IllegalArgumentException> { Durability.onDisk(timeout = Duration.INFINITE) }.message shouldContain "timeout"
        Durability.replicated(2) shouldBe Durability.replicated(2)
        Durability.replicated(2) shouldNotBe Durability.onDisk(2)
    }
})
