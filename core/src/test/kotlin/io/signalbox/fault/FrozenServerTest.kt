package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.signalbox.LeaseLostException
import io.signalbox.Permit
import io.signalbox.withPermit
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.withTimeout

/** A server that answers nobody, and keeps all connections open. */
class FrozenServerTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("frozen for less than the lease: nobody loses anything") {
        onStage {
            val semaphore = client(proxied, lease = 12.seconds).semaphore("nap", 1)
            val other = client(lease = 12.seconds).semaphore("nap", 1)
            val permit = semaphore.acquire()
            val waiter = async { other.acquire() }
            stored("nap").awaitQueued(1)
            val requests = Channel<Unit>(Channel.UNLIMITED)
            proxy.onRequest { _, _ -> requests.trySend(Unit) }
            redis.freeze()
            // A heartbeat, and another attempt because it was not answered within a sixth of the lease.
            repeat(2) { requests.receive() }
            redis.thaw()

            permit.isLost shouldBe false
            permit.release() shouldBe true
            waiter.await().release() shouldBe true
        }
    }

    test("frozen for longer than the lease: who holds is cancelled before the server can give the permit away") {
        onStage {
            val lease = 4.seconds
            val holding = client(lease = lease).semaphore("sleep", 1)
            val waiting = client(lease = lease).semaphore("sleep", 1)
            val held = CompletableDeferred<Unit>()
            val holder =
                async {
                    shouldThrow<LeaseLostException> {
                        holding.withPermit {
                            held.complete(Unit)
                            awaitCancellation()
                        }
                    }
                }
            held.await()
            val waiter = async { waiting.acquire() }
            stored("sleep").awaitQueued(1)

            redis.freeze()
            // While it is frozen the server gives nothing away.
            val loss = withTimeout(30.seconds) { holder.await() }
            redis.thaw()

            val next = withTimeout(30.seconds) { waiter.await() }
            next.fencingToken shouldBeGreaterThan loss.fencingToken
            next.release() shouldBe true
        }
    }

    for (lease in listOf(300.milliseconds, 1.seconds, 3.seconds)) {
        test("cut off for longer than a lease of $lease: the holder knows before the next one has the permit") {
            onStage {
                val holding = client(proxied, lease = lease).semaphore("silence", 1)
                val waiting = client(lease = lease).semaphore("silence", 1)
                val held = CompletableDeferred<Permit>()
                val loss =
                    async(Dispatchers.Default) {
                        shouldThrow<LeaseLostException> {
                            holding.withPermit {
                                held.complete(it)
                                awaitCancellation()
                            }
                        }
                    }
                val permit = held.await()
                val next =
                    async(Dispatchers.Default) {
                        val next = waiting.acquire()
                        // Asked for by the holder's clock: true even if this process was paused and has cancelled nothing yet.
                        permit.isLost shouldBe true
                        next.release()
                    }
                // Paused for longer than a short lease, this process has lost the permit already.
                eventually(30.seconds) { (next.isCompleted || stored("silence").queued > 0) shouldBe true }
                proxy.stall()

                loss.await()
                next.await()
            }
        }
    }
})
