package io.signalbox.micrometer

import io.micrometer.core.instrument.MeterRegistry
import io.micrometer.core.instrument.Tag
import io.micrometer.core.instrument.binder.MeterBinder
import io.signalbox.micrometer.internal.Needed
import io.signalbox.micrometer.internal.TimerMeters
import io.signalbox.timers.Timers
import io.signalbox.timers.Topic
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Measures a service of timers: how late handlers begin, how long they run, how often they fail, and what is pending.
 *
 * ```
 * TimersMetrics(timers, Reminders, Invoices).bindTo(registry)
 * ```
 *
 * | meter | type | tags | what it says |
 * |---|---|---|---|
 * | `signalbox.timers.lag` | timer | `topic` | time from the moment a timer was due, or due again, to the beginning of its handler |
 * | `signalbox.timers.run` | timer | `topic`, `outcome` | how long handlers ran: `succeeded`, `retried`, `dead` |
 * | `signalbox.timers.attempts` | summary | `topic` | how many attempts a timer took that has succeeded or is dead |
 * | `signalbox.timers.dead` | counter | `topic` | timers, or occurrences, that have used up their attempts |
 * | `signalbox.timers.parked` | counter | `topic` | timers that could not be decoded |
 * | `signalbox.timers.superseded` | counter | `topic` | handlers whose outcome had no effect |
 * | `signalbox.timers.pending` | gauge | `topic` | timers on the timeline of all processes, of the topics that were named |
 *
 * Topics are few and named in code, so each is a tag. What happened before binding is not counted; what this process handles is, and nothing else but
 * `pending`. All members are safe to use from any thread.
 */
public class TimersMetrics internal constructor(
    private val timers: Timers,
    private val topics: Collection<Topic<*>>,
    private val settings: TimersMetricsSettings,
) : MeterBinder,
    AutoCloseable {
    private val bound = mutableListOf<TimerMeters>()
    private var isClosed = false

    /**
     * Adds the meters to [registry]; may be called for several.
     *
     * @throws IllegalStateException if this was closed, or Micrometer is older than 1.16: the text has what was found and what is needed.
     */
    override fun bindTo(registry: MeterRegistry) {
        Needed.check()
        synchronized(bound) {
            check(!isClosed) { "These metrics were closed. Make new ones to bind them." }
            bound += TimerMeters(timers, topics, registry, settings)
        }
    }

    /** Stops measuring, and removes the meters from their registries. Idempotent. The timers go on. */
    override fun close() {
        val ending =
            synchronized(bound) {
                isClosed = true
                bound.toList().also { bound.clear() }
            }
        ending.forEach(TimerMeters::close)
    }
}

/** Settings of [TimersMetrics]. */
public class TimersMetricsSettings internal constructor() {
    /** Put on every meter, beside its own. */
    public var tags: Iterable<Tag> = emptyList()

    /** How often the named topics are asked how many timers are pending, a round trip each; 1 s or more, infinite for never. */
    public var pendingEvery: Duration = 30.seconds

    /** Whether times are published as histograms that several processes can be added up over, as percentiles cannot. */
    public var histograms: Boolean = true

    internal fun check() {
        require(pendingEvery >= 1.seconds) { "pendingEvery must be at least 1s, or infinite for never, but was $pendingEvery." }
    }
}

/**
 * Makes the metrics of [timers], to be bound to a registry.
 *
 * @param topics whose pending timers are to be counted; each must be known to the service.
 * @throws IllegalArgumentException if a setting is out of range.
 */
public fun TimersMetrics(
    timers: Timers,
    vararg topics: Topic<*>,
    configure: TimersMetricsSettings.() -> Unit = {},
): TimersMetrics = TimersMetrics(timers, topics.toList(), TimersMetricsSettings().apply(configure).apply { check() })
