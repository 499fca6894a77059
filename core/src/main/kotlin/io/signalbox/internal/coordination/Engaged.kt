package io.signalbox.internal.coordination

import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicLong

/**
 * The coordinators of one client that have something to look after. The client keeps these and no others: one that rests is there as long as
 * somebody has its handle.
 */
internal class Engaged {
    private val coordinators: MutableSet<Coordinator> = ConcurrentHashMap.newKeySet()
    private val largest = AtomicLong()

    val all: List<Coordinator> get() = ArrayList(coordinators)

    /** The largest token that was granted to any that has rested: whoever begins anew may have been one of them. */
    val largestToken: Long get() = largest.get()

    fun add(coordinator: Coordinator) {
        coordinators.add(coordinator)
    }

    fun remove(
        coordinator: Coordinator,
        largestToken: Long = 0,
    ) {
        largest.accumulateAndGet(largestToken, ::maxOf)
        coordinators.remove(coordinator)
    }
}
