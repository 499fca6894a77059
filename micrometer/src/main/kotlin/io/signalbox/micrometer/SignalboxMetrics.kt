package io.signalbox.micrometer

import io.micrometer.core.instrument.MeterRegistry
import io.micrometer.core.instrument.binder.MeterBinder
import io.signalbox.Signalbox
import io.signalbox.micrometer.internal.ClientMeters
import io.signalbox.micrometer.internal.Needed

/**
 * Measures one client: how long acquires wait and permits are held, what is refused, timed out and lost, and what semaphores are used for.
 *
 * ```
 * SignalboxMetrics(signalbox).bindTo(registry)
 * ```
 *
 * Bind it before the client is used: what happened before is not counted. Costs some counters per acquire, no round trip, and now and then
 * [statistics][SignalboxMetricsSettings.statisticsEvery]. [close] takes the meters out of their registries; of a closed client counts stay what they
 * are.
 *
 * | meter | type | tags | what it says |
 * |---|---|---|---|
 * | `signalbox.acquire` | timer | `kind`, `name`, `outcome` | time from asking to the answer: `granted`, `timeout`, or a refusal: `taken`, `impossible`, `too_many_waiters`, `unavailable` |
 * | `signalbox.hold` | timer | `kind`, `name`, `outcome` | time from the grant to the end: `released`, `lost` |
 * | `signalbox.lost` | counter | `kind`, `name`, `reason` | permits lost before they were released |
 * | `signalbox.held.long` | counter | `kind`, `name` | permits held for longer than the client's `holdWarning` |
 * | `signalbox.held` | gauge | `kind`, `name` | permits in the hands of this client |
 * | `signalbox.waiting` | gauge | `kind`, `name` | acquires of this client that have not ended |
 * | `signalbox.exchange` | timer | `kind` | round trips with the store |
 * | `signalbox.exchange.operations` | summary | `kind` | how many acquires, releases and so on travelled in one |
 * | `signalbox.connected` | gauge | | 1 while there is a connection, else 0 |
 * | `signalbox.disconnects`, `signalbox.reconnects` | counter | `connection` | lost and replaced connections: `commands`, `announcements` |
 * | `signalbox.semaphore.permits`, `.held`, `.waiting` | gauge | `name` | permits, and what all clients hold and wait for |
 * | `signalbox.semaphore.oldest.wait` | gauge, seconds | `name` | how long the head of the queue has been waiting |
 *
 * `kind` is `semaphore`, `mutex` or `event`; for an event an acquire is an await. All members are safe to use from any thread.
 */
public class SignalboxMetrics internal constructor(
    private val signalbox: Signalbox,
    private val settings: SignalboxMetricsSettings,
) : MeterBinder,
    AutoCloseable {
    private val bound = mutableListOf<ClientMeters>()

    /**
     * Adds the meters to [registry]; may be called for several.
     *
     * @throws IllegalStateException if this was closed, or Micrometer is older than 1.16: the text has what was found and what is needed.
     */
    override fun bindTo(registry: MeterRegistry) {
        Needed.check()
        synchronized(bound) {
            check(!isClosed) { "These metrics were closed. Make new ones to bind them." }
            bound += ClientMeters(signalbox, registry, settings)
        }
    }

    private var isClosed = false

    /** Stops measuring, and removes the meters from their registries. Idempotent. The client stays open. */
    override fun close() {
        val ending =
            synchronized(bound) {
                isClosed = true
                bound.toList().also { bound.clear() }
            }
        ending.forEach(ClientMeters::close)
    }
}

/**
 * Makes the metrics of [signalbox], to be bound to a registry.
 *
 * @throws IllegalArgumentException if a setting is out of range.
 */
public fun SignalboxMetrics(
    signalbox: Signalbox,
    configure: SignalboxMetricsSettings.() -> Unit = {},
): SignalboxMetrics = SignalboxMetrics(signalbox, SignalboxMetricsSettings().apply(configure).apply { check() })
