package io.signalbox.internal.pool

import io.signalbox.InitStrategy
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.Observers
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.NanoClock
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.RedisConnections
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

/** The pools of one client, and the connection they share. */
internal class Pools(
    connections: RedisConnections,
    private val namespace: String,
    private val client: ClientIdentity,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
    private val scope: CoroutineScope,
    private val observers: Observers,
    private val enlist: (LedgerName) -> Unit,
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
        val subject = LedgerName(Kind.POOL, name)
        val coordinator = PoolCoordinator(subject, keys, line, client, settings, clock, scope, creation, observers)
        if (!coordinator.join(wanted)) return null
        scope.launch { stayEnlisted(subject) }
        return coordinator
    }

    private suspend fun stayEnlisted(subject: LedgerName) {
        while (true) {
            enlist(subject)
            delay(settings.refreshNanos.nanoseconds)
        }
    }

    /** What the server knows of the pool [name], whoever uses it: its waiters are not among that. */
    suspend fun snapshot(name: String): SemaphoreSnapshot? =
        PoolViews(name, PoolKeys(namespace, name), line).look()?.snapshot(limit = 1, client, settings, emptyList())

    fun close() = line.close()

    private companion object {
        val MIN_PATIENCE = 500.milliseconds
    }
}
