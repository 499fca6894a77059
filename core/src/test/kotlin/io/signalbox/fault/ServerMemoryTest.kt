package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.doubles.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.StoreUnavailableException
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async

class ServerMemoryTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("a server out of memory still takes releases and heartbeats, and hands permits over") {
        onStage({ maxMemory("100mb") }) {
            // Renewed a long time before it ends, so that a pause of this process fails nothing.
            val lease = 9.seconds
            val semaphore = client(lease = lease).semaphore("full", 2)
            val kept = semaphore.acquire()
            val returned = semaphore.acquire()
            val waiter = async { client(lease = lease).semaphore("full", 2).acquire() }
            stored("full").awaitQueued(1)
            redis.command("CONFIG", "SET", "maxmemory", "1")

            returned.release() shouldBe true
            val granted = waiter.await()
            // What has just been said need not have renewed the leases yet, and does so by less than this.
            val renewed = stored("full").deadlines().min() + lease.inWholeMilliseconds / 8
            eventually(30.seconds) { stored("full").deadlines().min() shouldBeGreaterThan renewed }
            kept.isLost shouldBe false
            kept.release() shouldBe true
            granted.release() shouldBe true
            stored("full").awaitNothing()
        }
    }

    test("a server out of memory refuses new semaphores, and the error says why") {
        onStage({ maxMemory("100mb") }) {
            val client = client { storeTimeout = 3.seconds }
            redis.command("CONFIG", "SET", "maxmemory", "1")
            shouldThrow<StoreUnavailableException> { client.semaphore("new", 1) }.message shouldContain "OOM"
            redis.command("CONFIG", "SET", "maxmemory", "0")
            client.semaphore("new", 1).acquire().release() shouldBe true
        }
    }
})
