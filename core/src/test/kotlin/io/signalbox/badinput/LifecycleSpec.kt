package io.signalbox.badinput

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.signalbox.AcquireTimeoutException
import io.signalbox.behaviour.awaitRenewal
import io.signalbox.withPermit
import java.util.concurrent.CountDownLatch
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.newSingleThreadContext
import kotlinx.coroutines.withContext

/** Calls at awkward moments and in awkward places. */
@OptIn(DelicateCoroutinesApi::class)
class LifecycleSpec : FunSpec({
    test("a coroutine that is cancelled already gets no permit") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 1)
            shouldThrow<CancellationException> {
                coroutineScope {
                    cancel()
                    semaphore.acquire()
                }
            }
            semaphore.availablePermits() shouldBe 1
            semaphore.snapshot().queueLength shouldBe 0
        }
    }

    test("a release in the clean-up of a cancelled coroutine arrives") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 1)
            val acquired = CompletableDeferred<Unit>()
            val job = clients.start {
                val permit = semaphore.acquire()
                try {
                    acquired.complete(Unit)
                    awaitCancellation()
                } finally {
                    permit.release()
                }
            }
            acquired.await()
            job.cancel()
            semaphore.acquire().release() shouldBe true
        }
    }

    test("acquiring again inside withPermit of a semaphore of one permit waits for itself, until its time is over") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 1) { acquireTimeout = 50.milliseconds }
            shouldThrow<AcquireTimeoutException> { semaphore.withPermit { semaphore.withPermit { } } }
            semaphore.availablePermits() shouldBe 1
        }
    }

    test("an interrupted thread can acquire and release") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 1)
            newSingleThreadContext("interrupted").use { thread ->
                withContext(thread) {
                    Thread.currentThread().interrupt()
                    semaphore.acquire().release() shouldBe true
                    Thread.currentThread().interrupt()
                    semaphore.withPermit { Thread.interrupted() }
                }
            }
            semaphore.availablePermits() shouldBe 1
        }
    }

    test("an unconfined coroutine, resumed on the library's own threads, can use the library") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 1)
            val other = clients.client().semaphore("api", permits = 1)
            val holder = other.acquire()
            val unconfined = List(5) {
                clients.launch(Dispatchers.Unconfined) {
                    semaphore.withPermit {
                        semaphore.snapshot().heldPermits shouldBe 1
                        semaphore.availablePermits() shouldBe 0
                        client.semaphore("other", permits = 1).withPermit { }
                    }
                }.also { _ -> clients.run { semaphore.awaitQueue(it + 1) } }
            }
            holder.release()
            unconfined.forEach { it.join() }
            semaphore.availablePermits() shouldBe 1
        }
    }

    test("user code that keeps all threads of Dispatchers.Default busy costs no lease") {
        witnessed {
            // Renewed after about 3 seconds: a long time before it ends, so that a pause of this process fails nothing.
            val semaphore = clients.client { lease = 9.seconds }.semaphore("api", permits = 1)
            val observer = client.semaphore("api", permits = 1)
            newSingleThreadContext("user").use { thread ->
                withContext(thread) {
                    val permit = semaphore.acquire()
                    val gate = CountDownLatch(1)
                    try {
                        repeat(100) { clients.launch(Dispatchers.Default) { gate.await() } }
                        observer.awaitRenewal()
                        permit.isLost shouldBe false
                    } finally {
                        gate.countDown()
                    }
                    permit.release() shouldBe true
                }
            }
        }
    }
})
