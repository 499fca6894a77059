package io.signalbox.micrometer.internal

import io.micrometer.core.instrument.Counter
import io.micrometer.core.instrument.DistributionSummary
import io.micrometer.core.instrument.Gauge
import io.micrometer.core.instrument.Meter
import io.micrometer.core.instrument.MeterRegistry
import io.micrometer.core.instrument.MultiGauge
import io.micrometer.core.instrument.Tag
import io.micrometer.core.instrument.Tags
import io.micrometer.core.instrument.Timer
import java.time.Duration
import java.util.concurrent.ConcurrentLinkedQueue

/** Makes the meters of one binding, and remembers them for its end. */
internal class Meters(
    private val registry: MeterRegistry,
    common: Iterable<Tag>,
    private val histograms: Boolean,
) {
    private val common = Tags.of(common)
    private val made = ConcurrentLinkedQueue<Meter>()
    private val multiple = ConcurrentLinkedQueue<Gauges>()

    /** Whoever makes a meter looks here afterwards: something may be told, and asked for, while this ends. */
    @Volatile
    private var isOver = false

    fun timer(
        name: String,
        description: String,
        longest: Duration,
        vararg tags: String,
    ): Timer =
        Timer
            .builder(name)
            .description(description)
            .tags(common.and(*tags))
            .publishPercentileHistogram(histograms)
            .minimumExpectedValue(SHORTEST)
            .maximumExpectedValue(longest)
            .register(registry)
            .kept()

    fun counter(
        name: String,
        description: String,
        vararg tags: String,
    ): Counter = Counter.builder(name).description(description).tags(common.and(*tags)).register(registry).kept()

    fun summary(
        name: String,
        description: String,
        unit: String,
        vararg tags: String,
    ): DistributionSummary =
        DistributionSummary.builder(name).description(description).baseUnit(unit).tags(common.and(*tags)).register(registry).kept()

    fun gauge(
        name: String,
        description: String,
        vararg tags: String,
        value: () -> Double,
    ) {
        // Held by the registry: nobody else needs the function.
        Gauge.builder(name, value).description(description).tags(common.and(*tags)).strongReference(true).register(registry).kept()
    }

    fun gauges(
        name: String,
        description: String,
        unit: String? = null,
    ): Gauges =
        Gauges(MultiGauge.builder(name).description(description).baseUnit(unit).tags(common).register(registry)).also(multiple::add)

    private fun <M : Meter> M.kept(): M {
        made.add(this)
        if (isOver) registry.remove(this)
        return this
    }

    fun remove() {
        isOver = true
        made.forEach(registry::remove)
        multiple.forEach(Gauges::remove)
    }

    /** Gauges of one name, as many as there are things to show. */
    class Gauges(
        private val gauge: MultiGauge,
    ) {
        private var isOver = false

        @Synchronized
        fun show(rows: List<MultiGauge.Row<*>>) {
            if (!isOver) gauge.register(rows, true)
        }

        @Synchronized
        fun remove() {
            show(emptyList())
            isOver = true
        }
    }

    companion object {
        private val SHORTEST: Duration = Duration.ofMillis(1)

        /** Where histograms end: what takes longer is in the last bucket. */
        val SHORT: Duration = Duration.ofSeconds(10)
        val LONG: Duration = Duration.ofMinutes(10)
    }
}
