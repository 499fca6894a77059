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

    val slots: Int get() = redis.command("ZCARD", key("gen")).toInt()
    val owners: List<String> get() = lines("HKEYS", key("owners"))
    val free: List<String> get() = lines("LRANGE", key("free"), "0", "-1")

    /** Hints that could be claimed: of the current generation, and not owned. Each once. */
    val usable: Set<String>
        get() {
            val current = lines("ZRANGE", key("gen"), "0", "-1", "WITHSCORES").chunked(2).map { (slot, generation) -> slot to generation.toDouble() }
            val hints = free.filter { hint -> current.any { (slot, generation) -> hint == "$slot:${generation.toLong()}" } }
            return hints.toSet() - owners.toSet()
        }

    fun key(part: String): String = prefix + part

    /** Every permit can be had, once, as soon as what is on its way has arrived. */
    suspend fun awaitWhole(permits: Int) =
        eventually(20.seconds) {
            withClue("slots") { slots shouldBe permits }
            withClue("owners") { owners shouldBe emptyList() }
            withClue("hints") { usable.size shouldBe permits }
        }

    private fun lines(vararg words: String) = redis.command(*words).lines().filter(String::isNotEmpty)
}
