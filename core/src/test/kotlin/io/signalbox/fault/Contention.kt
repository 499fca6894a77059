package io.signalbox.fault

import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.Semaphore
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield

/** Has [workers] coroutines acquire and release [rounds] times each. None may see more than [permits] permits in use, or lose one. */
internal suspend fun Semaphore.contend(
    workers: Int,
    rounds: Int,
    permits: Int,
) = coroutineScope {
    val holders = AtomicInteger()
    repeat(workers) {
        launch(Dispatchers.Default) {
            repeat(rounds) {
                val permit = acquire()
                holders.incrementAndGet() shouldBeLessThanOrEqual permits
                yield()
                holders.decrementAndGet()
                permit.release() shouldBe true
            }
        }
    }
}
