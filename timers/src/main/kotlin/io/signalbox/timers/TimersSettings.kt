package io.signalbox.timers

import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.timers.internal.CallSite
import io.signalbox.timers.internal.Limits
import io.signalbox.timers.internal.TimerEnvironment
import io.signalbox.timers.internal.redis.TimerKeys
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Settings of a service of timers. Durations are rounded up to whole milliseconds. */
public class TimersSettings<C> internal constructor() {
    private val router = TimerRouterBuilder<C>()
    private val declared = LinkedHashMap<String, Topic<*>>()

    /** Services of different names share no timers. The rules for names apply; at most 128 bytes of UTF-8. */
    public var name: String = "timers"

    /** How many handlers run at a time in this process, over all topics; 1 to 10 000. */
    public var concurrency: Int = 64

    /**
     * How long after the death of a worker another one takes over what it was to do: how long a claim on a timer lasts unless renewed, and
     * how far behind the first worker a second one wakes. 100 ms to 1 day. Shorter heals faster; a process that is frozen, or cut off
     * from the
     * server, for longer than this while it handles a timer causes that timer to be handled twice.
     */
    public var takeoverAfter: Duration = 2.seconds

    /**
     * How often an idle worker asks the server although nobody has woken it: what bounds the delay if several workers die at once, or
     * wake-ups are lost. 1 s to 1 day. Multiplied, each time, by a number from [safetyCheckJitter].
     */
    public var safetyCheck: Duration = 30.seconds

    /** See [safetyCheck]; both ends from 0.1 to 10. */
    public var safetyCheckJitter: ClosedFloatingPointRange<Double> = 0.8..1.2

    /** How long [Timers.run] lets running handlers end after it was cancelled; zero or more, infinite for ever. */
    public var drainTimeout: Duration = 30.seconds

    /** The largest payload, in bytes as stored; 1 to 64 MiB. */
    public var maxPayloadBytes: Int = 1 shl 20

    /**
     * Over how many parts the timers are spread, by the hash of topic and id: 1 to 256. One is right for a single server. In a Cluster each
     * part lives on one master, whichever its name falls to, so some times as many as there are masters make use of all of them. All
     * processes must agree; a change needs [previousShards].
     */
    public var shards: Int = 1

    /**
     * The number of shards before the current change of it. As long as it is given, the former places of timers are emptied: workers handle
     * what is there, setting or cancelling a timer removes it there, and a recurring one moves when its next occurrence is over. What is
     * paused or dead stays until it is resumed, put back or discarded.
     */
    public var previousShards: Int? = null

    /** The first part of the names of the keys with the timelines; all processes must agree. */
    public var timelineKey: String = TimerKeys.TIMELINE

    /** The first part of the names of the keys with the payloads; all processes must agree. */
    public var payloadsKey: String = TimerKeys.PAYLOADS

    /**
     * How many dead and undecodable timers of a topic are kept, in each shard; 1 or more. Where there are more, the oldest are removed
     * when a
     * worker takes its next turn, and logged as a number. By default all are kept: what was promised to be handled is not removed unless
     * you
     * say so.
     */
    public var deadTimersPerTopic: Int = Int.MAX_VALUE

    /** How long dead and undecodable timers are kept; 1 s or more, infinite for ever, as by default. Removed as by [deadTimersPerTopic]. */
    public var deadTimersFor: Duration = Duration.INFINITE

    /** Hears of every event; see [Timers.addListener] for more than one. */
    public var listener: TimerListener? = null

    internal val interceptors = mutableListOf<TimerInterceptor<C>>()
    internal val routes: Map<String, Route<C, *>> get() = router.routes
    internal val topics: Map<String, Topic<*>> get() = declared + routes.mapValues { it.value.topic }

    /** Handles the topics of [router]. */
    public fun include(router: TimerRouter<C>): Unit = this.router.include(router)

    /** Handles [topic] by [handler], as [TimerRouterBuilder.on]. */
    public fun <T> on(
        topic: Topic<T>,
        settings: TopicSettings.() -> Unit = {},
        handler: suspend TimerScope<C>.(T) -> Unit,
    ): Unit = router.add(Route(topic, TopicSettings().apply(settings), handler, CallSite.find()))

    /** Goes around every handler; of several, the first one outermost. */
    public fun intercept(interceptor: TimerInterceptor<C>) {
        interceptors += interceptor
    }

    /** Makes topics known that are set here and handled elsewhere. */
    public fun declare(vararg topics: Topic<*>) {
        topics.forEach { declared[it.name] = it }
    }

    /**
     * Takes settings from environment variables, those of timer services that poll. What has a meaning here is applied, the rest logged
     * as a
     * warning with the reason: see `docs/migrating-from-polling-timers.md`. A setting made after this call wins.
     *
     * @throws IllegalArgumentException if a value cannot be used; the text names the variable.
     */
    public fun fromEnvironment(environment: Map<String, String> = System.getenv()): Unit = TimerEnvironment.apply(this, environment)

    internal fun check() {
        requireName("name of a service of timers", name, MAX_NAME_BYTES)
        require(concurrency in 1..MAX_CONCURRENCY) { "concurrency must be 1 to $MAX_CONCURRENCY, but was $concurrency." }
        wholeMillis("takeoverAfter", takeoverAfter, 1.days, least = 100.milliseconds)
        wholeMillis("safetyCheck", safetyCheck, 1.days, least = 1.seconds)
        safetyCheckJitter.run {
            require(start <= endInclusive && start >= LEAST_JITTER && endInclusive <= MOST_JITTER) {
                "safetyCheckJitter must be a range within $LEAST_JITTER to $MOST_JITTER, but was $this."
            }
        }
        require(drainTimeout >= Duration.ZERO) { "drainTimeout must not be negative, but was $drainTimeout." }
        require(deadTimersPerTopic >= 1) { "deadTimersPerTopic must be at least 1, but was $deadTimersPerTopic." }
        require(deadTimersFor == Duration.INFINITE || deadTimersFor in 1.seconds..Limits.LONGEST) {
            "deadTimersFor must be 1s to ${Limits.LONGEST} or infinite, but was $deadTimersFor."
        }
        require(maxPayloadBytes in 1..MAX_PAYLOAD) { "maxPayloadBytes must be 1 to $MAX_PAYLOAD, but was $maxPayloadBytes." }
        require(shards in 1..MAX_SHARDS) { "shards must be 1 to $MAX_SHARDS, but was $shards." }
        previousShards?.let { require(it in 1..MAX_SHARDS) { "previousShards must be 1 to $MAX_SHARDS, but was $it." } }
        checkKeys()
        for ((name, route) in routes) route.settings.check(name)
        topics.keys.forEach(Limits::requireTopic)
    }

    private fun checkKeys() {
        requireName("timelineKey", timelineKey, MAX_NAME_BYTES)
        requireName("payloadsKey", payloadsKey, MAX_NAME_BYTES)
        require(timelineKey != payloadsKey) { "timelineKey and payloadsKey must differ, but both are \"$timelineKey\"." }
        for (key in listOf(timelineKey, payloadsKey)) {
            require(key !in RESERVED) {
                "\"$key\" is the name of another kind of key; timelineKey and payloadsKey must be none of $RESERVED."
            }
        }
    }

    private companion object {
        const val MAX_NAME_BYTES = 128
        const val MAX_CONCURRENCY = 10_000
        const val MAX_PAYLOAD = 64 shl 20
        const val MAX_SHARDS = 256
        const val LEAST_JITTER = 0.1
        const val MOST_JITTER = 10.0
        val RESERVED = listOf("marks", "shelf", "paused", "sleepers", "state", "seen", "topics")
    }
}
