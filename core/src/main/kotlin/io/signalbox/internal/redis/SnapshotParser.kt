package io.signalbox.internal.redis

import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ledger.publicClient
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds

/** Reads what `lua/snapshot.lua` returns. */
internal object SnapshotParser {
    fun parse(
        name: String,
        reply: List<Any?>,
    ): SemaphoreSnapshot? {
        if (reply.isEmpty()) return null
        val facts = words(reply[0])
        val now = facts[4].toLong()
        val micros = facts[5].toLong()
        return SemaphoreSnapshot(
            name = name,
            declaredPermits = facts[0].toInt(),
            permits = facts[1].toInt(),
            heldPermits = facts[2].toInt(),
            queueLength = facts[3].toInt(),
            grants = facts[6].toLong(),
            holders = rows(reply[1]).map { holder(it, now, micros) },
            queue = rows(reply[2]).map { waiter(it, now) },
        )
    }

    private fun holder(
        row: List<String>,
        now: Long,
        micros: Long,
    ): SemaphoreSnapshot.Holder {
        val grant = row[3].split(':')
        val token = grant[0].toLong()
        return SemaphoreSnapshot.Holder(
            client = publicClient(row[0]),
            label = row[1],
            fencingToken = token,
            permits = grant.getOrNull(1)?.toInt() ?: 1,
            age = (micros - token).coerceAtLeast(0).microseconds,
            remainingLease = (row[2].toLong() - now).coerceAtLeast(0).milliseconds,
            remainingHold = row[4].toDoubleOrNull()?.let { (it.toLong() - now).coerceAtLeast(0).milliseconds },
        )
    }

    private fun waiter(
        row: List<String>,
        now: Long,
    ): SemaphoreSnapshot.Waiter {
        return SemaphoreSnapshot.Waiter(
            client = publicClient(row[0]),
            label = row[1],
            position = row[3].toInt(),
            permits = row[4].toInt(),
            age = (now - row[5].toLong()).coerceAtLeast(0).milliseconds,
            remainingLease = (row[2].toLong() - now).coerceAtLeast(0).milliseconds,
        )
    }

    private fun rows(reply: Any?): List<List<String>> = (reply as List<*>).map(::words)

    private fun words(reply: Any?): List<String> = (reply as List<*>).map { String(it as ByteArray) }
}
