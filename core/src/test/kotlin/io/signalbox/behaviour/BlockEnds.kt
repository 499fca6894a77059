package io.signalbox.behaviour

import io.kotest.matchers.shouldBe
import io.signalbox.use
import io.signalbox.withPermit
import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** What the end of a block does to others, and what counts as a grant. */
fun SemaphoreBehaviour.blockEnds() {
    behaviour("whoever gives a permit back runs nobody's code, however many it is handed on to in a row") {
        val semaphore = semaphore(permits = 1)
        val permit = semaphore.acquire()
        // Nobody else's: what runs on it runs inside of what is called there.
        val caller = Executors.newSingleThreadExecutor()
        val giving = AtomicReference<Thread>()
        val strangers = AtomicInteger()
        val served = AtomicInteger()
        // Without a dispatcher they go on wherever they are resumed: each inside of the end of the last, if that were the caller's thread.
        val waiters =
            List(1_000) {
                launch(Dispatchers.Unconfined) {
                    semaphore.withPermit {
                        if (Thread.currentThread() === giving.get()) strangers.incrementAndGet()
                        served.incrementAndGet()
                    }
                }
            }
        caller.asCoroutineDispatcher().use {
            withContext(it) {
                giving.set(Thread.currentThread())
                permit.use { }
            }
            waiters.joinAll()
        }
        strangers.get() shouldBe 0
        served.get() shouldBe 1_000
    }

    behaviour("grants are what was handed out: who gave up in time is not among them", Ability.SHARED_QUEUE) {
        val semaphore = semaphore(permits = 2)
        val granted = AtomicInteger()
        val callers =
            List(40) { caller ->
                start {
                    repeat(25) {
                        val permit = semaphore.tryAcquire(timeout = (caller % 5).milliseconds) ?: return@repeat
                        granted.incrementAndGet()
                        permit.release()
                    }
                }
            }
        callers.joinAll()
        semaphore.snapshot().run {
            grants shouldBe granted.get()
            heldPermits shouldBe 0
            queueLength shouldBe 0
        }
    }
}
