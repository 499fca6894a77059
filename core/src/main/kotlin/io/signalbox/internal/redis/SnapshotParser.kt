package io.signalbox.internal.redis

import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ledger.isKeeper
import io.signalbox.internal.ledger.publicClient
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** Reads what `lua/snapshot.lua` returns. */
internal object SnapshotParser {
    fun parse(
        name: String,
        reply: List<Any?>,
        limit: Int,
    ): SemaphoreSnapshot? = RedisLine.understood(reply) { read(name, reply, limit) }

    private fun read(
        name: String,
        reply: List<Any?>,
        limit: Int,
    ): SemaphoreSnapshot? {
        if (reply.isEmpty()) return null
        val word = reply[0]
        if (word is ByteArray) {
            check(String(word) == "format") { "something unknown" }
            throw RedisErrors.unreadable(String(reply[1] as ByteArray))
        }
        val facts = words(reply[0])
        val now = facts[4].toLong()
        return SemaphoreSnapshot(
            name = name,
            declaredPermits = facts[0].toInt(),
            permits = facts[1].toInt(),
            heldPermits = facts[2].toInt(),
            queueLength = facts[3].toInt(),
            grants = facts[5].toLong(),
            holders = rows(reply[1]).map { holder(it, now) },
            queue = waiters(rows(reply[2]), now, limit),
        )
    }

    private fun holder(
        row: List<String>,
        now: Long,
    ): SemaphoreSnapshot.Holder {
        val token = row[3].toLong()
        return SemaphoreSnapshot.Holder(
            client = publicClient(row[0]),
            label = row[1],
            fencingToken = token,
            permits = row[4].toInt(),
            age = elapsed(now - (row[5].toLongOrNull() ?: (token / 1000))),
            remainingLease = elapsed(moment(row[2]) - now),
            remainingHold = row[6].takeIf { it.isNotEmpty() }?.let { elapsed(moment(it) - now) },
            isKept = isKeeper(row[0]),
            session = row[0],
        )
    }

    private fun waiters(
        rows: List<List<String>>,
        now: Long,
        limit: Int,
    ): List<SemaphoreSnapshot.Waiter> {
        val waiters = ArrayList<SemaphoreSnapshot.Waiter>()
        for (row in rows) {
            repeat(minOf(row[3].toInt(), limit - waiters.size)) {
                waiters +=
                    SemaphoreSnapshot.Waiter(
                        client = publicClient(row[0]),
                        label = row[1],
                        position = waiters.size + 1,
                        permits = row[4].toInt(),
                        age = elapsed(now - row[5].toLong()),
                        remainingLease = elapsed(row[2].toLong() - now),
                    )
            }
        }
        return waiters
    }

    /** A score may come with an exponent; of what was evicted there is none. */
    private fun moment(text: String): Long = text.toDoubleOrNull()?.toLong() ?: 0

    private fun elapsed(millis: Long): Duration = millis.coerceAtLeast(0).milliseconds

    private fun rows(reply: Any?): List<List<String>> = (reply as List<*>).map(::words)

    private fun words(reply: Any?): List<String> = (reply as List<*>).map { String(it as ByteArray) }
}
