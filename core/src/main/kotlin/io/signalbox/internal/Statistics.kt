package io.signalbox.internal

import io.signalbox.SemaphoreSnapshot
import io.signalbox.SemaphoreStatistics
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.coordination.retrying
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.pool.Pools
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope

/** Reads all semaphores of a namespace, some at a time. */
internal class Statistics(
    private val ledger: Ledger,
    private val pools: Pools?,
    private val settings: CoordinationSettings,
) {
    /** Those of [names], or all if it is `null`; the most used first. */
    suspend fun read(
        names: Collection<String>?,
        limit: Int,
    ): List<SemaphoreStatistics> {
        require(limit in 1..MAX_LISTED) { "limit must be from 1 to $MAX_LISTED, but was $limit." }
        names?.forEach { requireName("name of a semaphore", it, SemaphoreHandles.MAX_NAME_BYTES) }
        val found =
            if (names == null) {
                inChunks(KINDS.flatMap { kind -> patiently { ledger.names(kind) }.map { LedgerName(kind, it) } }) { look(it) }
            } else {
                inChunks(names.distinct()) { name -> KINDS.firstNotNullOfOrNull { look(LedgerName(it, name)) } }
            }
        return found
            .sortedWith(
                compareByDescending(SemaphoreStatistics::usage)
                    .thenByDescending(SemaphoreStatistics::waiting)
                    .thenByDescending(SemaphoreStatistics::grants)
                    .thenBy(SemaphoreStatistics::name),
            ).take(limit)
    }

    private suspend fun <T> inChunks(
        subjects: List<T>,
        read: suspend (T) -> SemaphoreStatistics?,
    ): List<SemaphoreStatistics> =
        subjects.chunked(AT_A_TIME).flatMap { some -> coroutineScope { some.map { async { read(it) } }.awaitAll() } }.filterNotNull()

    private suspend fun look(name: LedgerName): SemaphoreStatistics? =
        patiently {
            if (name.kind == Kind.POOL &&
                pools != null
            ) {
                pools.snapshot(name.name)
            } else {
                ledger.snapshot(name, WAITERS)
            }
        }?.let(::summary)

    private fun summary(snapshot: SemaphoreSnapshot) =
        SemaphoreStatistics(
            name = snapshot.name,
            permits = snapshot.permits,
            heldPermits = snapshot.heldPermits,
            waiting = snapshot.queueLength,
            oldestWaiterAge = snapshot.queue.firstOrNull()?.age,
            grants = snapshot.grants,
        )

    private suspend fun <T> patiently(request: suspend () -> T): T =
        settings.retrying({ last ->
            StoreUnavailableException(
                "The store gave no usable answer within ${settings.storeTimeoutMillis.milliseconds}. Last problem: ${last.inWords()}",
                last,
            )
        }, request = request)

    private companion object {
        val KINDS = listOf(Kind.SEMAPHORE, Kind.POOL)
        const val MAX_LISTED = 10_000
        const val AT_A_TIME = 64

        /** Enough for one living waiter to be among them, after a crash too. */
        const val WAITERS = 20
    }
}
