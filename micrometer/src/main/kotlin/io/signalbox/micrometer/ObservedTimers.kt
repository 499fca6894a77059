package io.signalbox.micrometer

import io.micrometer.observation.ObservationRegistry
import io.signalbox.micrometer.internal.Spans
import io.signalbox.timers.NewTimer
import io.signalbox.timers.TimerMetadata
import io.signalbox.timers.Timers
import io.signalbox.timers.TimersSettings
import io.signalbox.timers.Topic
import java.time.Instant
import kotlin.time.Duration
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext

/**
 * Has every handler of this service run within an observation `signalbox.timer.handle` of [registry], and so, where it has a tracer, within a span that goes on
 * with the trace that the timer carries in its metadata. See [observed] for who puts it there.
 *
 * Tags: `signalbox.topic`; on spans also `signalbox.timer.id` and `signalbox.timer.attempt`. It is one more
 * [interceptor][TimersSettings.intercept], inside of those that were added before and around those that come after.
 */
public fun <C> TimersSettings<C>.observe(registry: ObservationRegistry) {
    intercept { timer, proceed ->
        if (registry.isNoop) {
            proceed()
        } else {
            Spans.during(Spans.handle(registry, timer.topic, timer.id, timer.attempt, timer.metadata)) { proceed() }
        }
    }
}

/**
 * The same service, each of whose [schedule][Timers.schedule] and [scheduleAll][Timers.scheduleAll] is an observation `signalbox.timer.schedule` of [registry]. Where
 * that has a tracer the trace travels with the timer, as entries of its metadata such as `traceparent`, and [observe] goes on with it.
 *
 * Recurring timers carry none: which process set them last means nothing.
 */
public fun Timers.observed(registry: ObservationRegistry): Timers = ObservedTimers(this, registry)

private class ObservedTimers(
    private val timers: Timers,
    private val registry: ObservationRegistry,
) : Timers by timers {
    override suspend fun <T> schedule(
        topic: Topic<T>,
        id: String,
        payload: T,
        after: Duration,
        metadata: Map<String, String>,
    ) = carrying(topic) { timers.schedule(topic, id, payload, after, metadata) }

    override suspend fun <T> schedule(
        topic: Topic<T>,
        id: String,
        payload: T,
        at: Instant,
        metadata: Map<String, String>,
    ) = carrying(topic) { timers.schedule(topic, id, payload, at, metadata) }

    override suspend fun <T> scheduleAll(
        topic: Topic<T>,
        timers: Iterable<NewTimer<T>>,
    ) = carrying(topic) { this.timers.scheduleAll(topic, timers) }

    private suspend fun carrying(
        topic: Topic<*>,
        set: suspend () -> Unit,
    ) {
        if (registry.isNoop) return set()
        val carrier = LinkedHashMap<String, String>()
        val observation = Spans.schedule(registry, topic.name, carrier).parentObservation(registry.currentObservation)
        Spans.during(observation) {
            val inherited = currentCoroutineContext()[TimerMetadata]?.entries.orEmpty()
            withContext(TimerMetadata(inherited + carrier)) { set() }
        }
    }
}
