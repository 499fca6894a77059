package io.signalbox.micrometer.internal

import io.micrometer.core.instrument.Counter
import io.micrometer.core.instrument.MeterRegistry
import io.micrometer.core.instrument.MultiGauge
import io.micrometer.core.instrument.Tags
import io.micrometer.core.instrument.Timer
import io.signalbox.ConnectionState
import io.signalbox.Exchanged
import io.signalbox.LossReason
import io.signalbox.Observation
import io.signalbox.SemaphoreStatistics
import io.signalbox.Signalbox
import io.signalbox.SignalboxListener
import io.signalbox.micrometer.SignalboxMetricsSettings
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlinx.coroutines.Job

/** The meters of one client in one registry. */
internal class ClientMeters(
    private val signalbox: Signalbox,
    registry: MeterRegistry,
    private val settings: SignalboxMetricsSettings,
) : SignalboxListener {
    private val meters = Meters(registry, settings.tags, settings.histograms)
    private val names = Names(settings)
    private val subjects = ConcurrentHashMap<Pair<Observation.Kind, String>, Subject>()
    private val usage = Usage(signalbox, names)
    private val exchanges = Observation.Kind.entries.associateWith { Exchanges(it.tag) }
    private val disconnects = connections("signalbox.disconnects", "Connections to the store that were lost")
    private val reconnects = connections("signalbox.reconnects", "Connections to the store that were lost and are there again")
    private val registration = signalbox.addListener(this)
    private val statistics: Job?

    init {
        meters.gauge("signalbox.connected", "Whether there is a connection to the store") {
            if (signalbox.state.value == ConnectionState.CONNECTED) 1.0 else 0.0
        }
        statistics = if (settings.statisticsEvery == Duration.INFINITE || settings.maxNames == 0) null else Statistics().ask()
    }

    /** What is counted of all things of one kind that share a tag. */
    private inner class Subject(
        kind: Observation.Kind,
        name: String,
    ) {
        private val tags = arrayOf("kind", kind.tag, "name", name)
        private val acquires = ConcurrentHashMap<String, Timer>()
        private val losses = ConcurrentHashMap<LossReason, Counter>()
        val released: Timer by lazy { hold("released") }
        val lost: Timer by lazy { hold("lost") }
        val heldLong: Counter by lazy { meters.counter("signalbox.held.long", "Permits held for longer than the client warns of", *tags) }

        init {
            if (kind !=
                Observation.Kind.EVENT
            ) {
                meters.gauge("signalbox.held", "Permits in the hands of this client", *tags) { usage.held(kind, name) }
            }
            meters.gauge("signalbox.waiting", "Acquires of this client that have not ended", *tags) { usage.waiting(kind, name) }
        }

        fun acquire(outcome: String): Timer =
            acquires.computeIfAbsent(outcome) {
                meters.timer("signalbox.acquire", "Time from asking for permits to the answer", Meters.LONG, *tags, "outcome", outcome)
            }

        fun lost(reason: LossReason): Counter =
            losses.computeIfAbsent(reason) {
                meters.counter("signalbox.lost", "Permits lost before they were released", *tags, "reason", reason.name.lowercase())
            }

        private fun hold(outcome: String) =
            meters.timer("signalbox.hold", "Time from the grant of permits to their end", Meters.LONG, *tags, "outcome", outcome)
    }

    private inner class Exchanges(
        kind: String,
    ) {
        val time: Timer by lazy { meters.timer("signalbox.exchange", "Round trips with the store", Meters.SHORT, "kind", kind) }
        val operations by lazy {
            meters.summary("signalbox.exchange.operations", "What travelled in one round trip", "operations", "kind", kind)
        }
    }

    /** What all clients make of the semaphores. */
    private inner class Statistics {
        private val permits = meters.gauges("signalbox.semaphore.permits", "Permits of the semaphore")
        private val held = meters.gauges("signalbox.semaphore.held", "Permits held by all clients")
        private val waiting = meters.gauges("signalbox.semaphore.waiting", "Acquires of all clients that wait")
        private val oldest = meters.gauges("signalbox.semaphore.oldest.wait", "How long the head of the queue has been waiting", "seconds")

        fun ask(): Job = asking(settings.statisticsEvery, { show(emptyList()) }) { show(signalbox.statistics(limit = settings.maxNames)) }

        private fun show(found: List<SemaphoreStatistics>) {
            val named = found.mapNotNull { one -> names.tag(Observation.Kind.SEMAPHORE, one.name)?.let { Tags.of("name", it) to one } }
            permits.show(named) { it.permits }
            held.show(named) { it.heldPermits }
            waiting.show(named) { it.waiting }
            oldest.show(named) { it.oldestWaiterAge?.inWholeNanoseconds?.div(NANOS) ?: 0.0 }
        }

        private fun Meters.Gauges.show(
            named: List<Pair<Tags, SemaphoreStatistics>>,
            value: (SemaphoreStatistics) -> Number,
        ) = show(named.map { (tags, one) -> MultiGauge.Row.of(tags, value(one)) })
    }

    private fun connections(
        name: String,
        description: String,
    ): Map<Boolean, Counter> =
        mapOf(false to "commands", true to "announcements").mapValues { (_, connection) ->
            meters.counter(name, description, "connection", connection)
        }

    private fun subject(
        kind: Observation.Kind,
        name: String,
    ): Subject {
        val tag = names.tag(kind, name) ?: SignalboxMetricsSettings.OTHER
        return subjects.computeIfAbsent(kind to tag) { Subject(kind, tag) }
    }

    override fun onGranted(granted: Observation.Granted) = subject(granted.kind, granted.name).acquire("granted").record(granted.waited)

    override fun onTimedOut(timedOut: Observation.TimedOut) = subject(
        timedOut.kind,
        timedOut.name,
    ).acquire("timeout").record(timedOut.waited)

    override fun onRefused(refused: Observation.Refused) =
        subject(refused.kind, refused.name).acquire(refused.reason.name.lowercase()).record(refused.waited)

    override fun onReleased(released: Observation.Released) {
        if (released.kind != Observation.Kind.EVENT) subject(released.kind, released.name).released.record(released.held)
    }

    override fun onLost(lost: Observation.Lost) {
        val subject = subject(lost.kind, lost.name)
        subject.lost.record(lost.held)
        subject.lost(lost.reason).increment(lost.permits.toDouble())
    }

    override fun onHeldLong(heldLong: Observation.HeldLong) = subject(
        heldLong.kind,
        heldLong.name,
    ).heldLong.increment(heldLong.permits.toDouble())

    override fun onExchanged(exchanged: Exchanged) {
        val of = exchanges.getValue(exchanged.kind)
        of.time.record(exchanged.took)
        of.operations.record(exchanged.operations.toDouble())
    }

    override fun onDisconnected(disconnected: Observation.Disconnected) = disconnects.getValue(disconnected.blocking).increment()

    override fun onReconnected(reconnected: Observation.Reconnected) = reconnects.getValue(reconnected.blocking).increment()

    fun close() {
        registration.dispose()
        statistics?.cancel()
        meters.remove()
    }

    private companion object {
        const val NANOS = 1e9
        val Observation.Kind.tag get() = name.lowercase()

        fun Timer.record(time: Duration) = record(time.inWholeNanoseconds, TimeUnit.NANOSECONDS)
    }
}
