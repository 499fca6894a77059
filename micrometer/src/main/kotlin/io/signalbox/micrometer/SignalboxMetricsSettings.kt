package io.signalbox.micrometer

import io.micrometer.core.instrument.Tag
import io.signalbox.Observation
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Settings of [SignalboxMetrics]. */
public class SignalboxMetricsSettings internal constructor() {
    /** Put on every meter, beside its own. */
    public var tags: Iterable<Tag> = emptyList()

    /**
     * What the tag `name` says of something with a name; `null` for [OTHER].
     *
     * By default semaphores are named, mutexes and events are not: those are often made for one order or tenant each, and every name is a time series of
     * its own, for ever. Called once for each kind and name that is met while there is room for it.
     */
    public var nameTag: (
        kind: Observation.Kind,
        name: String,
    ) -> String? = { kind, name -> name.takeIf { kind == Observation.Kind.SEMAPHORE } }

    /** How many values the tag `name` has at most, over all kinds; what comes later is [OTHER]. 0 to 10 000. */
    public var maxNames: Int = 100

    /**
     * How often the semaphores of the namespace are asked for what all clients hold and wait for, see [io.signalbox.Signalbox.statistics]: two round trips and
     * one more per 64 semaphores. 1 s or more; infinite for never, and so without the meters `signalbox.semaphore.*`.
     */
    public var statisticsEvery: Duration = 30.seconds

    /** Whether times are published as histograms that several processes can be added up over, as percentiles cannot. */
    public var histograms: Boolean = true

    internal fun check() {
        require(maxNames in 0..MAX_NAMES) { "maxNames must be 0 to $MAX_NAMES, but was $maxNames." }
        require(statisticsEvery >= 1.seconds) { "statisticsEvery must be at least 1s, or infinite for never, but was $statisticsEvery." }
    }

    public companion object {
        /** The value of the tag `name` for all that have none of their own. */
        public const val OTHER: String = "other"

        private const val MAX_NAMES = 10_000
    }
}
