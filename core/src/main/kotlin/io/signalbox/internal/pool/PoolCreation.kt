package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import io.signalbox.InitStrategy
import io.signalbox.ScriptNotPermittedException
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.LedgerFailure
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay

/**
 * Creates a pool, or finds it created.
 *
 * The writes are the same in each strategy and do nothing to what exists (HSETNX, ZADD NX), so a creation that arrives late, or
 * twice, or beside that of another strategy, adds nothing: its hints name generations that no slot has. All are in one transaction, so a
 * creator that dies leaves a whole pool or none.
 */
internal class PoolCreation(
    private val keys: PoolKeys,
    private val line: PoolLine,
    private val settings: CoordinationSettings,
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
        val at = PoolMeta.ask(batch, keys)
        return PoolMeta.read(line.transact(batch), at)
    }

    private suspend fun byScript(
        wanted: HandleSettings,
        id: String,
    ): PoolMeta? {
        val names = listOf(keys.meta, keys.gen, keys.free)
        val values = listOf(id, wanted.declared, flag(wanted.bounded), quarantineMillis(wanted), settings.poolRetentionMillis)
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
            connection.ask(CommandType.WATCH, keys.meta)
            // Not in a transaction, which would end the watching.
            val exists = connection.ask(CommandType.HGET, keys.meta, "id").firstOrNull() != null
            // Refused if another client was faster: then there is what it has created.
            if (!exists) connection.transact(Batch().also { write(it, wanted, id, connection.micros()) })
        }
        return read()
    }

    private suspend fun byInitKey(
        wanted: HandleSettings,
        id: String,
    ): PoolMeta? {
        var pause = 5
        while (true) {
            val won = line.connect().ask(CommandType.SET, keys.init, id, "NX", "PX", INIT_MILLIS)
            if (won.firstOrNull() != null) {
                val batch = Batch()
                write(batch, wanted, id, line.connect().micros())
                line.transact(batch)
            }
            read()?.let { return it }
            delay(pause.milliseconds * Random.nextDouble(0.5, 1.0))
            pause = (pause * 2).coerceAtMost(MAX_PAUSE_MILLIS)
        }
    }

    private fun write(
        batch: Batch,
        wanted: HandleSettings,
        id: String,
        micros: Long,
    ) {
        val quarantine = quarantineMillis(wanted)
        val openAt = if (quarantine == 0L) 0 else micros / 1000 + quarantine
        // The id last of all: a pool is there when it is.
        listOf(
            "permits" to wanted.declared,
            "declared" to wanted.declared,
            "bounded" to flag(wanted.bounded),
            "openAt" to openAt,
            "fence" to micros,
            "grants" to 0,
            "id" to id,
        ).forEach { (field, value) -> batch.add(CommandType.HSETNX, keys.meta, field, value) }
        addSlots(batch, keys, (0 until wanted.declared).toList(), micros, settings.poolRetentionMillis)
        batch.add(CommandType.PEXPIRE, keys.meta, settings.poolRetentionMillis)
    }

    private fun quarantineMillis(wanted: HandleSettings): Long = if (wanted.quarantine) settings.leaseMillis else 0

    private fun flag(value: Boolean) = if (value) 1 else 0

    companion object {
        const val INIT_MILLIS = 2_000
        private const val MAX_PAUSE_MILLIS = 200
        private const val ID_BYTES = 12

        private val SCRIPT: String =
            checkNotNull(PoolCreation::class.java.getResource("/io/signalbox/lua/pool-create.lua")) {
                "Script pool-create.lua is missing from the jar."
            }.readText()

        /** New slots and their hints. A slot that exists keeps its generation, and its new hint is void. */
        fun addSlots(
            batch: Batch,
            keys: PoolKeys,
            slots: List<Int>,
            generation: Long,
            retentionMillis: Long,
        ) {
            if (slots.isEmpty()) return
            batch.add(CommandType.ZADD, listOf<Any>(keys.gen, "NX") + slots.flatMap { listOf(generation, it) })
            batch.add(CommandType.RPUSH, listOf<Any>(keys.free) + slots.map { Hint(it, generation).text })
            batch.add(CommandType.PEXPIRE, keys.gen, retentionMillis)
            batch.add(CommandType.PEXPIRE, keys.free, retentionMillis)
        }
    }
}

/** The server's clock in microseconds. */
internal suspend fun PoolConnection.micros(): Long =
    ask(CommandType.TIME).map { Replies.textOf(it)!!.toLong() }.let { (seconds, micros) -> seconds * 1_000_000 + micros }

/** How long the keys outlive the last client that uses them. */
internal val CoordinationSettings.poolRetentionMillis: Long get() = maxOf(retentionMillis, 3 * leaseMillis)
