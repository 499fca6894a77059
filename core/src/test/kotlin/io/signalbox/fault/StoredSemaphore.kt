package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.shouldBe
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.Keys
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration.Companion.seconds

/** The keys of a semaphore as they are on the server, read past all clients. */
internal class StoredSemaphore(
    private val redis: RedisServer,
    name: String,
) {
    /** Key by kind: state, listed, limits, signals, queue, sessions. */
    val keys: Map<String, String> = Keys("signalbox").of(LedgerName(Kind.SEMAPHORE, name)).map {
        String(it)
    }.associateBy { it.substringAfterLast(':') }

    val epoch: String get() = redis.command("HGET", keys.getValue("state"), "epoch")
    private fun number(field: String): Int = redis.command("HGET", keys.getValue("state"), field).toIntOrNull() ?: 0

    /** Held permits, as the state counts them. */
    val held: Int get() = number("plain") + number("listed")

    /** The sessions' own records: number, given, returned, admitted, passed, and so on. */
    val records: Map<String, List<Long>>
        get() =
            redis.command("HGETALL", keys.getValue("state")).lines().chunked(2)
                .filter { it.size == 2 && '.' in it[0] && '|' !in it[0] }
                .associate { (session, record) -> session to record.split(' ').map(String::toLong) }

    /** What the client of [session] calls itself. */
    fun labelOf(session: String): String = redis.command("HGET", keys.getValue("state"), "$session|label")

    /** The tokens that are held, as far as the state knows them: those that the sessions have told, and the listed ones. */
    val tokens: Set<Long>
        get() {
            val rosters = records.keys.flatMap { redis.command("HGET", keys.getValue("state"), "$it|roster").split(' ').drop(1) }
            val told =
                rosters.flatMap { run ->
                    val (first, count) = run.substringBefore('@').split('+')
                    List(count.toInt()) { first.toLong() + it }
                }
            return told.toSet() + members("listed").map { it.split(':')[1].toLong() }
        }

    /** Who waits: in the queue, or admitted and not served. */
    val queued: Int get() = number("queued") + records.values.sumOf { it[3] - it[4] }.toInt()

    /** How many sessions have something that no answer has told them. */
    val unread: Int get() = records.values.count { it[10] == 1L }

    fun members(kind: String): List<String> = redis.command("ZRANGE", keys.getValue(kind), "0", "-1").lines().filter(String::isNotEmpty)

    /** When the sessions end, in milliseconds of the semaphore's clock. */
    fun deadlines(): List<Double> =
        redis.command("ZRANGE", keys.getValue("sessions"), "0", "-1", "WITHSCORES").lines().filter(String::isNotEmpty).chunked(2).map {
            it[1].toDouble()
        }

    fun delete(kind: String) {
        redis.command("DEL", keys.getValue(kind))
    }

    suspend fun awaitQueued(count: Int) = eventually(PATIENCE) { queued shouldBe count }

    suspend fun awaitHeld(count: Int) = eventually(PATIENCE) { held shouldBe count }

    /** Nobody holds and nobody waits, once the releases on their way have arrived. */
    suspend fun awaitNothing() =
        eventually(PATIENCE) {
            held shouldBe 0
            queued shouldBe 0
        }

    private companion object {
        val PATIENCE = 30.seconds
    }
}
