package io.signalbox.timers.internal.ledger

import java.time.Instant

/**
 * A client's line to the store of one timer service: the only thing that decides which worker has which timer.
 *
 * The seam between workers, which know coroutines and handlers, and a backend, which knows neither. Every call delivers once and says
 * what became of it; a [io.signalbox.internal.ledger.LedgerFailure] says whether it may have been executed, that of a [foreignFormat] that
 * nothing was. Patience is above.
 */
internal interface TimerLedger {
    suspend fun write(
        shard: Int,
        write: Write,
    ): WriteAnswer

    suspend fun turn(
        shard: Int,
        turn: Turn,
    ): TurnAnswer

    suspend fun get(
        shard: Int,
        topic: String,
        id: String,
    ): Stored?

    /** In ascending order from [after] on, or from the beginning: those with a millisecond in [moments]. */
    suspend fun list(
        shard: Int,
        topic: String,
        part: Part,
        moments: LongRange,
        after: Position?,
        limit: Int,
    ): List<Stored>

    suspend fun count(
        shard: Int,
        topic: String,
        part: Part,
    ): Long

    /** All topics that timers were ever set for. */
    suspend fun topics(shard: Int): Set<String>

    /** Those of them that are paused as a whole. */
    suspend fun pausedTopics(shard: Int): Set<String>

    /** The topics that workers handle which are alive. */
    suspend fun handledTopics(shard: Int): Set<String>

    /** Makes [shards] the number of shards if none is stored, or if it is [previous]: the number that is stored then. */
    suspend fun declareShards(
        shards: Int,
        previous: Int?,
    ): Int

    /** The time of day at [shard]. */
    suspend fun now(shard: Int): Instant

    /** Whether shards are on different servers, each with its own clock. */
    val isSpread: Boolean

    /** The address at which [listen] works. */
    fun inbox(): String

    fun listen(
        session: String,
        onWake: () -> Unit,
    )

    fun forget(session: String)
}
