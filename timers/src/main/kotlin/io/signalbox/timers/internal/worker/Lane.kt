package io.signalbox.timers.internal.worker

import io.signalbox.Permit
import io.signalbox.timers.Route
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
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

    /** Waiting for a permit. */
    @Volatile
    var isAcquiring: Boolean = false
        private set

    val isLimited: Boolean get() = semaphore != null

    val permitsInHand: Int get() = synchronized(permits) { permits.size }

    fun takePermit(): Permit? = synchronized(permits) { permits.removeFirstOrNull() }

    /** Timers are due that want a permit: gets one, in the order of the semaphore's queue, and tells the loop. */
    fun acquire() {
        if (semaphore == null || isAcquiring) return
        isAcquiring = true
        acquiring =
            scope.launch {
                try {
                    val permit = semaphore.acquire()
                    synchronized(permits) { permits.add(permit) }
                    // As long as more are free, more of what is due can be taken at once.
                    while (permitsInHand < minOf(MOST_AT_ONCE, slots.available)) {
                        val another = semaphore.tryAcquire() ?: break
                        synchronized(permits) { permits.add(another) }
                    }
                } catch (stop: CancellationException) {
                    throw stop
                } catch (problem: Exception) {
                    log.warn("A permit for topic '{}' could not be acquired; its timers wait on", name, problem)
                } finally {
                    isAcquiring = false
                }
                onPermit()
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
            } catch (problem: Exception) {
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
        val log = LoggerFactory.getLogger(Lane::class.java)
    }
}
