package io.signalbox.micrometer.internal

import io.micrometer.core.instrument.MeterRegistry
import io.micrometer.core.instrument.MultiGauge
import io.micrometer.core.instrument.Tags
import io.micrometer.core.instrument.Timer
import io.signalbox.micrometer.TimersMetricsSettings
import io.signalbox.timers.TimerEvent
import io.signalbox.timers.TimerListener
import io.signalbox.timers.Timers
import io.signalbox.timers.Topic
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlinx.coroutines.Job

/** The meters of one service of timers in one registry. */
internal class TimerMeters(
    private val timers: Timers,
    private val topics: Collection<Topic<*>>,
    registry: MeterRegistry,
    private val settings: TimersMetricsSettings,
) : TimerListener {
    private val meters = Meters(registry, settings.tags, settings.histograms)
    private val byTopic = ConcurrentHashMap<String, OfTopic>()
    private val registration = timers.addListener(this)
    private val pending: Job? = if (settings.pendingEvery == Duration.INFINITE || topics.isEmpty()) null else askForPending()

    private inner class OfTopic(
        private val topic: String,
    ) {
        private val runs = ConcurrentHashMap<String, Timer>()
        val lag by lazy {
            meters.timer("signalbox.timers.lag", "Time from the moment a timer was due to its handler", Meters.LONG, "topic", topic)
        }
        val attempts by lazy {
            meters.summary("signalbox.timers.attempts", "Attempts of timers that have succeeded or are dead", "attempts", "topic", topic)
        }
        val dead by lazy { meters.counter("signalbox.timers.dead", "Timers that have used up their attempts", "topic", topic) }
        val parked by lazy { meters.counter("signalbox.timers.parked", "Timers that could not be decoded", "topic", topic) }
        val superseded by lazy { meters.counter("signalbox.timers.superseded", "Handlers whose outcome had no effect", "topic", topic) }

        fun run(outcome: String): Timer =
            runs.computeIfAbsent(outcome) {
                meters.timer("signalbox.timers.run", "How long handlers ran", Meters.LONG, "topic", topic, "outcome", outcome)
            }
    }

    private fun askForPending(): Job {
        val gauge = meters.gauges("signalbox.timers.pending", "Timers on the timeline")
        return asking(settings.pendingEvery, { gauge.show(emptyList()) }) {
            gauge.show(topics.map { MultiGauge.Row.of(Tags.of("topic", it.name), timers.count(it)) })
        }
    }

    override fun onEvent(event: TimerEvent) {
        val of = byTopic.computeIfAbsent(event.topic, ::OfTopic)
        when (event) {
            is TimerEvent.Fired -> of.lag.record(event.lag)
            is TimerEvent.Succeeded -> {
                of.run("succeeded").record(event.took)
                of.attempts.record(event.attempt.toDouble())
            }
            is TimerEvent.Retried -> event.took?.let { of.run("retried").record(it) }
            is TimerEvent.Dead -> {
                event.took?.let { of.run("dead").record(it) }
                of.attempts.record(event.attempt.toDouble())
                of.dead.increment()
            }
            is TimerEvent.Parked -> of.parked.increment()
            is TimerEvent.Superseded -> of.superseded.increment()
        }
    }

    fun close() {
        registration.dispose()
        pending?.cancel()
        meters.remove()
    }

    private companion object {
        fun Timer.record(time: Duration) = record(time.inWholeNanoseconds, TimeUnit.NANOSECONDS)
    }
}
