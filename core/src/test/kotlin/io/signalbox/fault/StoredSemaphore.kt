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
    /** Key by kind: state, held, queue, sessions, unclaimed, limits. */
    val keys: Map<String, String> = Keys("signalbox").of(LedgerName(Kind.SEMAPHORE, name)).map {
        String(it)
    }.associateBy { it.substringAfterLast(':') }

    val epoch: String get() = redis.command("HGET", keys.getValue("state"), "epoch")
    val held: Int get() = members("held").sumOf { it.substringAfter('+', "1").toInt() }
    val queued: Int get() = members("queue").sumOf { it.split('/')[2].toInt() }
    val unclaimed: Int get() = members("unclaimed").sumOf { it.substringAfter('=').split(',')[1].toInt() }

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
