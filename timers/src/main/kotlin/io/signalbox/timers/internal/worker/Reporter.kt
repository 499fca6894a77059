package io.signalbox.timers.internal.worker

import io.signalbox.timers.TimerEvent
import io.signalbox.timers.TimerListener
import io.signalbox.timers.internal.Problems
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.flow.MutableSharedFlow
import org.HdrHistogram.Histogram
import org.HdrHistogram.Recorder
import org.slf4j.LoggerFactory

/** Tells who wants to know what happens to timers. */
internal class Reporter(
    listener: TimerListener?,
) {
    /** One registration: the same listener may be registered several times. */
    private class Registration(
        val listener: TimerListener,
    )

    private val registrations = CopyOnWriteArrayList(listOfNotNull(listener).map(::Registration))
    val events = MutableSharedFlow<TimerEvent>(extraBufferCapacity = BUFFER, onBufferOverflow = BufferOverflow.DROP_OLDEST)
    private val recorder = Recorder(TimeUnit.DAYS.toMicros(1), DIGITS)
    private val lags = Histogram(TimeUnit.DAYS.toMicros(1), DIGITS)

    /** Whether anybody would hear of an event. */
    val isHeard: Boolean get() = registrations.isNotEmpty() || events.subscriptionCount.value > 0

    fun report(event: TimerEvent) {
        events.tryEmit(event)
        for (registration in registrations) {
            try {
                registration.listener.onEvent(event)
            } catch (problem: Throwable) {
                // Whatever it is, also an error: those who listen must not have a say in what is handled.
                Problems.log(log, problem) { log.warn("The timer listener failed", it) }
            }
        }
    }

    fun add(listener: TimerListener): DisposableHandle {
        val registration = Registration(listener)
        registrations.add(registration)
        return DisposableHandle { registrations.remove(registration) }
    }

    fun recordLag(lag: Duration) = recorder.recordValue(lag.inWholeMicroseconds.coerceIn(0, TimeUnit.DAYS.toMicros(1)))

    fun lag(): Histogram =
        synchronized(lags) {
            lags.add(recorder.intervalHistogram)
            lags.copy()
        }

    private companion object {
        const val BUFFER = 4096
        const val DIGITS = 3
        val log = LoggerFactory.getLogger(Reporter::class.java)
    }
}
