package io.signalbox.ktor

import io.ktor.server.config.ApplicationConfig
import io.signalbox.Signalbox as Client
import io.signalbox.SignalboxSettings
import io.signalbox.ktor.internal.ConfigReader
import io.signalbox.timers.Timers
import io.signalbox.timers.TimersSettings
import io.signalbox.timers.internal.handlesAnything
import kotlin.time.Duration

/**
 * Settings of the plugin [Signalbox]. The defaults of those that are named here come from the application's configuration, where durations are written as in
 * `1m 30s` or `PT1M30S`:
 *
 * ```
 * signalbox {
 *     redis = "redis://localhost"
 *     redis = ${?REDIS_URI}
 *     namespace = "billing"
 *     lease = 20s
 * }
 * ```
 *
 * @throws IllegalArgumentException if the configuration has a key that is none of these, or a value that cannot be read; the text names it.
 */
public class SignalboxConfig internal constructor(
    config: ApplicationConfig,
) {
    private val reader = ConfigReader(config, listOf("redis", "namespace", "label", "lease", "retention", "storeTimeout", "runTimers"))

    /** Where the server is, see [Client.connect]. */
    public var redis: String = reader.text("redis") ?: "redis://localhost"

    /** See [SignalboxSettings.namespace]; `null` for its default. */
    public var namespace: String? = reader.text("namespace")

    /** See [SignalboxSettings.label]; `null` for its default. */
    public var label: String? = reader.text("label")

    /** See [SignalboxSettings.lease]; `null` for its default. */
    public var lease: Duration? = reader.duration("lease")

    /** See [SignalboxSettings.retention]; `null` for its default. */
    public var retention: Duration? = reader.duration("retention")

    /** See [SignalboxSettings.storeTimeout]; `null` for its default. */
    public var storeTimeout: Duration? = reader.duration("storeTimeout")

    /** Whether this process handles timers, if it has handlers; `false` for one that only sets them. */
    public var runTimers: Boolean = reader.flag("runTimers") ?: true

    private var more: SignalboxSettings.() -> Unit = {}
    private var given: Client? = null
    private var makeTimers: ((Client) -> Pair<Timers, Boolean>)? = null

    init {
        reader.requireKnown()
    }

    /** Settings of the client that are not named here. */
    public fun settings(configure: SignalboxSettings.() -> Unit) {
        val before = more
        more = {
            before()
            configure()
        }
    }

    /**
     * Uses [client] instead of making one, for instance `Signalbox.inMemory()` in tests. The plugin closes it with the application: it is the application's now. What
     * is set here for a client that is to be made has no effect on it.
     */
    public fun use(client: Client) {
        given = client
    }

    /**
     * Adds timers whose handlers get [context], see [io.signalbox.timers.Timers]; they are [Application.timers][timers]. Those that have handlers are handled by this
     * process unless [runTimers] is false.
     */
    public fun <C> timers(
        context: C,
        configure: TimersSettings<C>.() -> Unit,
    ) {
        check(makeTimers == null) { "timers { } is there already: name all topics and routers in one." }
        makeTimers = { client ->
            var handles = false
            val timers =
                Timers(client, context) {
                    configure()
                    handles = handlesAnything(this)
                }
            timers to handles
        }
    }

    /** As the other, for handlers without a context, and for services that only set timers. */
    public fun timers(configure: TimersSettings<Unit>.() -> Unit): Unit = timers(Unit, configure)

    internal fun client(): Client =
        given ?: Client.connect(redis) {
            this@SignalboxConfig.namespace?.let { namespace = it }
            this@SignalboxConfig.label?.let { label = it }
            this@SignalboxConfig.lease?.let { lease = it }
            this@SignalboxConfig.retention?.let { retention = it }
            this@SignalboxConfig.storeTimeout?.let { storeTimeout = it }
            more()
        }

    /** The timers, and whether they are to be handled here. */
    internal fun timersOf(client: Client): Pair<Timers, Boolean>? = makeTimers?.invoke(client)?.let { (timers, handles) ->
        timers to
            (handles && runTimers)
    }
}
