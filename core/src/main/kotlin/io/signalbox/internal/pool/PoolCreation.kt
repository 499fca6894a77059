package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import io.signalbox.InitStrategy
import io.signalbox.ScriptNotPermittedException
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.LedgerFailure
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.delay

/**
 * Creates a pool, or finds it created.
 *
 * Every creator writes slots under an id of its own, and the id into `state` only where there is none (HSETNX). So a creation that arrives
 * late, or twice, or beside that of another strategy, adds nothing to the pool that exists: what it leaves lies under an id that
 * nobody reads, and expires. All is one transaction, so a creator that dies leaves a whole pool or none.
 */
internal class PoolCreation(
    private val keys: PoolKeys,
    private val line: PoolLine,
    private val pace: PoolPace,
    private val strategy: InitStrategy,
) {
    /** What exists, after creating it if [wanted] declares a count; `null` if it does not and nothing exists. */
    suspend fun open(wanted: HandleSettings): PoolMeta? {
        val existing = read()
        if (existing != null || wanted.declared < 0) return existing
        val id = ClientIdentity.random(ID_BYTES)
        return when (strategy) {
            InitStrategy.LUA -> byScript(wanted, id)
            InitStrategy.OPTIMISTIC_LOCKING -> byWatching(wanted, id)
            InitStrategy.SETNX -> byInitKey(wanted, id)
        }
    }

    private suspend fun read(): PoolMeta? {
        val batch = Batch()
        val at = PoolMeta.ask(batch, keys, slots = null)
        return PoolMeta.read(line.transact(batch), at, slots = null)
    }

    private suspend fun byScript(
        wanted: HandleSettings,
        id: String,
    ): PoolMeta? {
        val slots = keys.of(id)
        val names = listOf(keys.state, slots.turns, slots.free, slots.fence)
        val values =
            listOf(PoolMeta.FORMAT, id, wanted.declared, flag(wanted.bounded), wanted.longestMillis, pace.retentionMillis, PoolKeys.FENCE)
        try {
            line.connect().ask(CommandType.EVAL, *(listOf(SCRIPT, names.size) + names + values).toTypedArray())
        } catch (failure: LedgerFailure) {
            val error = failure.error as? ScriptNotPermittedException ?: throw failure
            val refusal =
                ScriptNotPermittedException(
                    "The server refuses the script that creates a pool: ${error.cause?.message}. Use another strategy: algorithm = " +
                        "SemaphoreAlgorithm.Pool(InitStrategy.OPTIMISTIC_LOCKING) or (InitStrategy.SETNX).",
                    error.cause,
                )
            throw LedgerFailure(refusal, executed = false, final = true)
        }
        return read()
    }

    private suspend fun byWatching(
        wanted: HandleSettings,
        id: String,
    ): PoolMeta? {
        line.exclusively { connection ->
            connection.ask(CommandType.WATCH, keys.state)
            // Not in a transaction, which would end the watching.
            val exists = connection.ask(CommandType.HGET, keys.state, "id").firstOrNull() != null
            // Refused if another client was faster: then there is what it has created.
            if (!exists) connection.transact(Batch().also { write(it, wanted, id, connection.micros()) })
        }
        return read()
    }

    private suspend fun byInitKey(
        wanted: HandleSettings,
        id: String,
    ): PoolMeta? {
        var pause = FIRST_PAUSE
        while (true) {
            val won = line.connect().ask(CommandType.SET, keys.init, id, "NX", "PX", INIT_MILLIS)
            if (won.firstOrNull() != null) {
                val batch = Batch()
                write(batch, wanted, id, line.connect().micros())
                line.transact(batch)
            }
            read()?.let { return it }
            delay(pace.jittered(pause, 0.5, 1.0).nanoseconds)
            pause = (pause * 2).coerceAtMost(LONGEST_PAUSE)
        }
    }

    private fun write(
        batch: Batch,
        wanted: HandleSettings,
        id: String,
        micros: Long,
    ) {
        val openAt = if (wanted.longestMillis == 0L) 0 else micros / 1000 + wanted.longestMillis
        val slots = keys.of(id)
        addSlots(batch, slots, (0 until wanted.declared).toList(), micros, pace.retentionMillis)
        batch.add(CommandType.ZADD, slots.fence, "GT", micros, PoolKeys.FENCE)
        batch.add(CommandType.PEXPIRE, slots.fence, pace.retentionMillis)
        // The id last of all: a pool is there when it is. Who comes too late for the id comes too late for all before it.
        listOf(
            "format" to PoolMeta.FORMAT,
            "permits" to wanted.declared,
            "declared" to wanted.declared,
            "bounded" to flag(wanted.bounded),
            "openAt" to openAt,
            "longest" to wanted.longestMillis,
            "floor" to micros,
            "id" to id,
        ).forEach { (field, value) -> batch.add(CommandType.HSETNX, keys.state, field, value) }
        batch.add(CommandType.PEXPIRE, keys.state, pace.retentionMillis)
    }

    private fun flag(value: Boolean) = if (value) 1 else 0

    companion object {
        const val INIT_MILLIS = 2_000
        private const val FIRST_PAUSE = 5_000_000L
        private const val LONGEST_PAUSE = 200_000_000L
        private const val ID_BYTES = 12

        private val SCRIPT: String =
            checkNotNull(PoolCreation::class.java.getResource("/io/signalbox/lua/pool-create.lua")) {
                "Script pool-create.lua is missing from the jar."
            }.readText()

        /** New slots and their hints. A slot that exists keeps its generation, and its new hint is void. */
        fun addSlots(
            batch: Batch,
            keys: PoolKeys.Slots,
            slots: List<Int>,
            generation: Long,
            retentionMillis: Long,
        ) {
            if (slots.isEmpty()) return
            batch.add(CommandType.ZADD, listOf<Any>(keys.turns, "NX") + slots.flatMap { listOf(generation, it) })
            batch.add(CommandType.RPUSH, listOf<Any>(keys.free) + slots.map { Hint(it, generation).text })
            batch.add(CommandType.PEXPIRE, keys.turns, retentionMillis)
            batch.add(CommandType.PEXPIRE, keys.free, retentionMillis)
        }
    }
}
