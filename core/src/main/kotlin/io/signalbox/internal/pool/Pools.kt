package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import io.signalbox.InitStrategy
import io.signalbox.SemaphoreSnapshot
import io.signalbox.SignalboxClosedException
import io.signalbox.internal.Observers
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.NanoClock
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.Keys
import io.signalbox.internal.redis.NameIndex
import io.signalbox.internal.redis.RedisConnections
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/** The pools of one client, and the connection they share. */
internal class Pools(
    connections: RedisConnections,
    private val namespace: String,
    private val client: ClientIdentity,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
    private val scope: CoroutineScope,
    private val observers: Observers,
) {
    private val pace = PoolPace(settings, clock)

    // A transaction for a moment, on a loaded machine, may well take longer than a short lease allows a round.
    private val line = PoolLine(scope, maxOf(settings.patienceNanos.nanoseconds, MIN_PATIENCE)) { LettuceConnection(connections.connect()) }

    /** Creates or joins the pool [name]; `null` if there is nothing to join. */
    suspend fun join(
        name: String,
        wanted: HandleSettings,
        strategy: InitStrategy,
    ): PoolCoordinator? {
        if (!scope.isActive) throw SignalboxClosedException("This client was closed. Make a new one with Signalbox.connect().")
        val keys = PoolKeys(namespace, name)
        val creation = PoolCreation(keys, line, pace, strategy)
        val subject = LedgerName(Kind.POOL, name)
        val coordinator = PoolCoordinator(subject, keys, line, client, pace, clock, scope, creation, observers)
        if (!coordinator.join(wanted)) return null
        scope.launch { stayEnlisted(subject) }
        return coordinator
    }

    private suspend fun stayEnlisted(subject: LedgerName) {
        while (true) {
            try {
                enlist(subject)
            } catch (failure: LedgerFailure) {
                log.debug("Could not add {} to the list of names", subject, failure.error)
            }
            delay(settings.refreshNanos.nanoseconds)
        }
    }

    /** As the ledgers' list of names, but over the connection that pools have anyway. */
    private suspend fun enlist(subject: LedgerName) {
        val names = Keys(namespace).index
        val life = maxOf(settings.retentionMillis, 3 * settings.leaseMillis)
        val batch = Batch()
        batch.add(CommandType.ZADD, names, System.currentTimeMillis() + life, NameIndex.member(subject))
        val remaining = batch.add(CommandType.PTTL, names)
        if ((line.transact(batch).number(remaining) ?: 0) < life) line.transact(Batch().apply { add(CommandType.PEXPIRE, names, life) })
    }

    /** What the server knows of the pool [name], whoever uses it: its waiters are not among that. */
    suspend fun snapshot(name: String): SemaphoreSnapshot? =
        PoolViews(name, PoolKeys(namespace, name), line).look()?.snapshot(limit = 1, client, settings, emptyList())

    fun close() = line.close()

    private companion object {
        val log: Logger = LoggerFactory.getLogger(Pools::class.java)
        val MIN_PATIENCE = 500.milliseconds
    }
}
