package io.signalbox.micrometer.internal

import io.micrometer.core.instrument.Tag
import io.signalbox.java.Observation
import io.signalbox.java.Signalbox
import io.signalbox.java.internal.Behind
import io.signalbox.java.timers.Timers
import io.signalbox.micrometer.SignalboxMetrics
import io.signalbox.micrometer.TimersMetrics
import io.signalbox.timers.rawTopic
import java.time.Duration
import java.time.temporal.ChronoUnit
import java.util.function.BiFunction
import kotlin.time.Duration as KotlinDuration
import kotlin.time.toKotlinDuration

/** What the part for Java is built on. */
internal object ForJava {
    @JvmStatic
    fun metrics(
        signalbox: Signalbox,
        tags: Iterable<Tag>,
        nameTag: BiFunction<Observation.Kind, String, String?>?,
        maxNames: Int,
        statisticsEvery: Duration,
        histograms: Boolean,
    ): SignalboxMetrics =
        SignalboxMetrics(Behind.client(signalbox)) {
            this.tags = tags
            if (nameTag != null) this.nameTag = { kind, name -> nameTag.apply(Observation.Kind.valueOf(kind.name), name) }
            this.maxNames = maxNames
            this.statisticsEvery = statisticsEvery.kotlin()
            this.histograms = histograms
        }

    @JvmStatic
    fun metrics(
        timers: Timers,
        topics: List<String>,
        tags: Iterable<Tag>,
        pendingEvery: Duration,
        histograms: Boolean,
    ): TimersMetrics =
        TimersMetrics(Behind.timers(timers), *topics.map { rawTopic(it) }.toTypedArray()) {
            this.tags = tags
            this.pendingEvery = pendingEvery.kotlin()
            this.histograms = histograms
        }

    private fun Duration.kotlin(): KotlinDuration = if (this >= ChronoUnit.FOREVER.duration) KotlinDuration.INFINITE else toKotlinDuration()
}
