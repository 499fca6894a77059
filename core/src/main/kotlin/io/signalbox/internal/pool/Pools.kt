package io.signalbox.internal.pool

import io.signalbox.InitStrategy
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.NanoClock
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.redis.RedisConnections
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CoroutineScope

/** The pools of one client, and the connection they share. */
internal class Pools(
    connections: RedisConnections,
    private val namespace: String,
    private val client: ClientIdentity,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
    private val scope: CoroutineScope,
) {
    // A transaction for a moment, on a loaded machine, may well take longer than a short lease allows a round.
    private val line = PoolLine(connections, scope, maxOf(settings.patienceNanos.nanoseconds, MIN_PATIENCE))

    /** Creates or joins the pool [name]; `null` if there is nothing to join. */
    suspend fun join(
        name: String,
        wanted: HandleSettings,
        strategy: InitStrategy,
    ): PoolCoordinator? {
        val keys = PoolKeys(namespace, name)
        val creation = PoolCreation(keys, line, settings, strategy)
        return PoolCoordinator(name, keys, line, client, settings, clock, scope, creation).takeIf { it.join(wanted) }
    }

    fun close() = line.close()

    private companion object {
        val MIN_PATIENCE = 500.milliseconds
    }
}
