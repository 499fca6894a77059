package io.signalbox.timers.internal.worker

import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SignalboxClosedException
import io.signalbox.timers.Route
import io.signalbox.timers.internal.Problems
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.slf4j.LoggerFactory

/** One topic in one worker: its handler, its places, and its permits if a semaphore limits it across processes. */
internal class Lane<C>(
    val index: Int,
    val route: Route<C, *>,
    private val scope: CoroutineScope,
    private val onPermit: () -> Unit,
) {
    val name: String get() = route.topic.name
    val settings get() = route.settings
    val slots: Slots = Slots(route.settings.concurrency)
    private val semaphore = route.settings.semaphore
    private val permits = ArrayDeque<Permit>()
    private var acquiring: Job? = null

    /** Waiting for a permit, or for a moment after none was to be had. */
    @Volatile
    var isAcquiring: Boolean = false
        private set

    /** There will be no more permits: its client is closed. */
    @Volatile
    var isEnded: Boolean = false
        private set

    /** When a timer of it was last taken: larger is later. */
    @Volatile
    var lastTaken: Long = 0

    val isLimited: Boolean get() = semaphore != null

    val permitsInHand: Int get() = synchronized(permits) { permits.size }

    fun takePermit(): Permit? = synchronized(permits) { permits.removeFirstOrNull() }

    /** Timers are due that want a permit: gets one, in the order of the semaphore's queue, and tells the loop. */
    fun acquire() {
        if (semaphore == null || isAcquiring || isEnded) return
        isAcquiring = true
        acquiring =
            scope.launch {
                try {
                    acquirePatiently(semaphore)
                } finally {
                    isAcquiring = false
                }
                onPermit()
            }
    }

    /** Until there is a permit, with growing pauses after failures; or until the semaphore's client is closed. */
    private suspend fun acquirePatiently(semaphore: Semaphore) {
        var failures = 0
        while (true) {
            try {
                // A place in the queue is not given up because a time-out that is meant for callers has passed.
                val permit = semaphore.acquire(timeout = Duration.INFINITE)
                synchronized(permits) { permits.add(permit) }
                // As long as more are free, more of what is due can be taken at once.
                while (permitsInHand < minOf(MOST_AT_ONCE, slots.available)) {
                    val another = semaphore.tryAcquire() ?: break
                    synchronized(permits) { permits.add(another) }
                }
                return
            } catch (stop: CancellationException) {
                throw stop
            } catch (closed: SignalboxClosedException) {
                isEnded = true
                log.error("The client of the semaphore of topic '{}' is closed: this worker takes no timer of it any more", name, closed)
                return
            } catch (problem: Throwable) {
                if (permitsInHand > 0) return
                // Once: the next ones say nothing new.
                if (failures == 0) {
                    Problems.log(log, problem) { log.warn("No permit for topic '{}' could be acquired; its timers wait on", name, it) }
                }
            }
            delay(minOf(LEAST_PAUSE * (1 shl minOf(failures++, MOST_DOUBLINGS)), MOST_PAUSE) * Random.nextDouble(0.5, 1.0))
        }
    }

    /** There is nothing to take with them at present. */
    fun releaseUnused() {
        while (true) release(takePermit() ?: return)
    }

    fun release(permit: Permit) {
        scope.launch {
            try {
                permit.release()
            } catch (stop: CancellationException) {
                throw stop
            } catch (problem: Throwable) {
                log.debug("A permit could not be released; its lease will end", problem)
            }
        }
    }

    fun stop() {
        acquiring?.cancel()
        releaseUnused()
    }

    private companion object {
        const val MOST_AT_ONCE = 16
        const val MOST_DOUBLINGS = 10
        val LEAST_PAUSE = 100.milliseconds
        val MOST_PAUSE = 5.seconds
        val log = LoggerFactory.getLogger(Lane::class.java)
    }
}
