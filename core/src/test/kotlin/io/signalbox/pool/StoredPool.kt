package io.signalbox.pool

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.matchers.shouldBe
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration.Companion.seconds

/** The keys of a pool as they are on the server, read past all clients. */
internal class StoredPool(
    private val redis: RedisServer,
    name: String,
) {
    private val prefix = "signalbox:pool:{$name}:"

    val slots: Int get() = redis.command("ZCARD", key("turns")).toInt()
    val free: List<String> get() = lines("LRANGE", key("free"), "0", "-1")

    /** Slots that somebody owns; what late commands have left of earlier generations does not count. */
    val owners: List<String> get() = lines("HKEYS", key("owners")).filter { it in current }

    /** Hints that could be claimed: of the current generation, and not owned. Each once. */
    val usable: Set<String> get() = free.filter { it in current }.toSet() - owners.toSet()

    private val current: Set<String>
        get() = lines("ZRANGE", key("turns"), "0", "-1", "WITHSCORES").chunked(2).map { (slot, score) ->
            "$slot:${score.toDouble().toLong()}"
        }.toSet()

    val fence: Long get() = redis.command("ZSCORE", key("fence"), "last").toDouble().toLong()
    val grants: Long get() = redis.command("HGET", key("state"), "grants:$id").toLongOrNull() ?: 0

    private val id: String get() = redis.command("HGET", key("state"), "id")

    fun key(part: String): String = prefix + if (part == "state") part else "$id:$part"

    /** Every permit can be had, once, as soon as what is on its way has arrived. */
    suspend fun awaitWhole(permits: Int) =
        eventually(30.seconds) {
            withClue("slots") { slots shouldBe permits }
            withClue("owners") { owners shouldBe emptyList() }
            withClue("hints") { usable.size shouldBe permits }
        }

    private fun lines(vararg words: String) = redis.command(*words).lines().filter(String::isNotEmpty)
}
