package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.doubles.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.StoreUnavailableException
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async

class ServerMemoryTest : FunSpec({
    timeout = 60.seconds.inWholeMilliseconds

    test("a server out of memory still takes releases and heartbeats, and hands permits over") {
        onStage({ maxMemory("100mb") }) {
            val lease = 2.seconds
            val semaphore = client(lease = lease).semaphore("full", 2)
            val kept = semaphore.acquire()
            val returned = semaphore.acquire()
            val waiter = async { client(lease = lease).semaphore("full", 2).acquire() }
            stored("full").awaitQueued(1)
            redis.command("CONFIG", "SET", "maxmemory", "1")
            val deadline = stored("full").deadlines().min()

            returned.release() shouldBe true
            val granted = waiter.await()
            eventually(20.seconds) { stored("full").deadlines().min() shouldBeGreaterThan deadline + lease.inWholeMilliseconds }
            kept.isLost shouldBe false
            kept.release() shouldBe true
            granted.release() shouldBe true
            stored("full").awaitNothing()
        }
    }

    test("a server out of memory refuses new semaphores, and the error says why") {
        onStage({ maxMemory("100mb") }) {
            val client = client { storeTimeout = 500.milliseconds }
            redis.command("CONFIG", "SET", "maxmemory", "1")
            shouldThrow<StoreUnavailableException> { client.semaphore("new", 1) }.message shouldContain "OOM"
            redis.command("CONFIG", "SET", "maxmemory", "0")
            client.semaphore("new", 1).acquire().release() shouldBe true
        }
    }
})
