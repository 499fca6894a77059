package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.Keys
import io.signalbox.internal.redis.NameIndex
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.random.Random
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.slf4j.LoggerFactory

/**
 * Keeps the keys of the pools that somebody has a handle of, and their places in the list of names, used or not: one coroutine per client,
 * two round trips per hundred pools and third of a retention, over the connection that pools have anyway.
 */
internal class PoolKeeper(
    private val line: PoolLine,
    namespace: String,
    private val settings: CoordinationSettings,
    private val scope: CoroutineScope,
    private val random: Random = Random.Default,
    /** Where each pool is, if they are not all where [line] leads. */
    private val lineOf: ((PoolCoordinator) -> PoolLine)? = null,
    private val pools: () -> List<PoolCoordinator>,
) {
    private val names = Keys(namespace).index
    private val lifeMillis = maxOf(settings.retentionMillis, 3 * settings.leaseMillis)
    private val isStarted = AtomicBoolean()

    /** Called whenever there is a pool. */
    fun start() {
        if (isStarted.compareAndSet(false, true)) scope.launch { keepForEver() }
    }

    private suspend fun keepForEver() {
        while (true) {
            delay((settings.refreshNanos * random.nextDouble(0.8, 1.0)).toLong().nanoseconds)
            for (some in pools().chunked(AT_ONCE)) {
                repeating(some.size) { keep(some) }
                repeating(some.size) { enlist(some.map { it.subject }) }
            }
        }
    }

    private suspend fun repeating(
        size: Int,
        request: suspend () -> Unit,
    ) {
        var attempt = 0
        while (true) {
            try {
                return request()
            } catch (failure: LedgerFailure) {
                log.debug("Could not renew the retention of {} pools", size, failure.error)
                if (failure.final) return
            }
            delay(settings.backoffNanos(attempt++).nanoseconds)
        }
    }

    private suspend fun keep(some: List<PoolCoordinator>) {
        if (lineOf == null) keep(some, line) else some.forEach { keep(listOf(it), lineOf(it)) }
    }

    private suspend fun keep(
        some: List<PoolCoordinator>,
        line: PoolLine,
    ) {
        val batch = Batch()
        // Each says by itself what is true.
        batch.isTransaction = false
        some.flatMap { it.lasting }.forEach { batch.add(CommandType.PEXPIRE, it, lifeMillis) }
        if (!batch.isEmpty) line.transact(batch)
    }

    /** Adds a pool to the list of names; nobody waits for that, and nothing depends on it. */
    fun enlist(subject: LedgerName) {
        scope.launch {
            try {
                enlist(listOf(subject))
            } catch (failure: LedgerFailure) {
                log.debug("Could not add {} to the list of names", subject, failure.error)
            }
        }
    }

    /** As the ledgers' list of names, and takes away what nobody has renewed. */
    private suspend fun enlist(subjects: List<LedgerName>) {
        val now = System.currentTimeMillis()
        val batch = Batch()
        batch.add(CommandType.ZADD, listOf<Any>(names) + subjects.flatMap { listOf(now + lifeMillis, NameIndex.member(it)) })
        batch.add(CommandType.ZREMRANGEBYSCORE, names, "-inf", now - lifeMillis)
        val remaining = batch.add(CommandType.PTTL, names)
        // Others may have asked for a longer life.
        if ((line.transact(batch).number(remaining) ?: 0) >= lifeMillis) return
        line.transact(Batch().apply { add(CommandType.PEXPIRE, names, lifeMillis) })
    }

    private companion object {
        val log = LoggerFactory.getLogger(PoolKeeper::class.java)
        const val AT_ONCE = 100
    }
}
