package io.signalbox.cluster

import io.signalbox.LeaseLostException
import io.signalbox.Semaphore
import io.signalbox.StoreUnavailableException
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay

/** Coroutines that acquire, hold and give back, and what they saw: how many held at a time by their own account. */
class Load(
    private val permits: Int,
) {
    private val inside = ConcurrentHashMap<String, AtomicInteger>()
    private val mostInside = ConcurrentHashMap<String, AtomicInteger>()
    private val done = ConcurrentHashMap<String, AtomicInteger>()

    /** Calls that ended with an error that an outage explains. */
    val refused = AtomicInteger()
    val lost = AtomicInteger()

    @Volatile
    private var isOver = false
    private val running = ArrayList<Deferred<Unit>>()

    fun CoroutineScope.start(
        handle: Semaphore,
        count: Int,
    ) {
        repeat(count) { running += async { while (!isOver) turn(handle) } }
    }

    private suspend fun turn(handle: Semaphore) {
        val name = handle.name
        val permit =
            try {
                handle.acquire()
            } catch (_: StoreUnavailableException) {
                refused.incrementAndGet()
                return delay(10.milliseconds)
            }
        val count = inside.computeIfAbsent(name) { AtomicInteger() }
        val entered = AtomicInteger(1)

        // By its own account a holder is inside until it gives back, or has been told that it is not any more.
        fun leave() {
            if (entered.getAndSet(0) == 1) count.decrementAndGet()
        }
        val now = count.incrementAndGet()
        mostInside.computeIfAbsent(name) { AtomicInteger() }.updateAndGet { maxOf(it, now) }
        permit.onLost(::leave)
        try {
            delay(2.milliseconds)
            leave()
            if (!permit.release()) lost.incrementAndGet()
        } catch (_: LeaseLostException) {
            lost.incrementAndGet()
        } catch (_: StoreUnavailableException) {
            refused.incrementAndGet()
        } finally {
            leave()
        }
        done.computeIfAbsent(name) { AtomicInteger() }.incrementAndGet()
    }

    fun doneOf(name: String): Int = done[name]?.get() ?: 0

    /** By how many holders, over all names, there were ever more than permits at a time. */
    val surplus: Int get() = mostInside.values.maxOfOrNull { (it.get() - permits).coerceAtLeast(0) } ?: 0

    suspend fun stop() {
        isOver = true
        running.awaitAll()
    }
}
