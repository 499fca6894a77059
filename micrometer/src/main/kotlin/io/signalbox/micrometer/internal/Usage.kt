package io.signalbox.micrometer.internal

import io.signalbox.Observation
import io.signalbox.Signalbox
import io.signalbox.micrometer.SignalboxMetricsSettings
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/** What this client holds and waits for, by tag: looked at once for all gauges of a scrape. */
internal class Usage(
    private val signalbox: Signalbox,
    private val names: Names,
) {
    private class Sums {
        var held = 0
        var waiting = 0
    }

    private var sums = emptyMap<Pair<Observation.Kind, String>, Sums>()
    private var until: TimeMark = TimeSource.Monotonic.markNow()

    fun held(
        kind: Observation.Kind,
        tag: String,
    ): Double = look(kind, tag)?.held?.toDouble() ?: 0.0

    fun waiting(
        kind: Observation.Kind,
        tag: String,
    ): Double = look(kind, tag)?.waiting?.toDouble() ?: 0.0

    @Synchronized
    private fun look(
        kind: Observation.Kind,
        tag: String,
    ): Sums? {
        if (until.hasPassedNow()) {
            val found = HashMap<Pair<Observation.Kind, String>, Sums>()
            for (one in signalbox.usage()) {
                val sum = found.getOrPut(one.kind to (names.tag(one.kind, one.name) ?: SignalboxMetricsSettings.OTHER)) { Sums() }
                sum.held += one.heldPermits
                sum.waiting += one.waiting
            }
            sums = found
            until = TimeSource.Monotonic.markNow() + FRESH
        }
        return sums[kind to tag]
    }

    private companion object {
        /** Long enough for a scrape, short enough for nobody to notice. */
        val FRESH = 0.2.seconds
    }
}
