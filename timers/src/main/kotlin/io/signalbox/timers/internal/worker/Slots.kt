package io.signalbox.timers.internal.worker

import java.util.concurrent.atomic.AtomicInteger

/** Places for handlers, shared by the shards of a worker. */
internal class Slots(
    private val count: Int,
    private val onFree: () -> Unit = {},
) {
    private val free = AtomicInteger(count)

    val available: Int get() = free.get()
    val taken: Int get() = count - free.get()

    /** Takes up to [most], and returns how many. */
    fun take(most: Int): Int {
        while (true) {
            val now = free.get()
            val taken = minOf(now, most)
            if (taken <= 0) return 0
            if (free.compareAndSet(now, now - taken)) return taken
        }
    }

    fun giveBack(count: Int) {
        if (count == 0) return
        free.addAndGet(count)
        onFree()
    }
}
