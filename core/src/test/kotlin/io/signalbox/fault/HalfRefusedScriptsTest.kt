package io.signalbox.fault

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisClient
import io.lettuce.core.ScriptOutputType
import io.lettuce.core.codec.ByteArrayCodec
import io.signalbox.InitStrategy
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.Labels
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.Keys
import io.signalbox.internal.redis.Script
import io.signalbox.internal.redis.Scripts
import io.signalbox.testkit.RedisServer
import io.signalbox.withPermit
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch

private const val PASSWORD = "correct-horse-battery"

/** All that a script uses, but for what it does not mind being refused. */
private fun commandsOf(name: String): Set<String> {
    val text = Scripts::class.java.getResource("/io/signalbox/lua/$name.lua").shouldNotBeNull().readText()
    return Regex("(?<!p)call\\('([A-Z]+)'").findAll(text).map { it.groupValues[1] }.toSortedSet()
}

/** Runs scripts as a user from whom commands can be taken. */
private class AsApp(
    private val stage: Stage,
) : AutoCloseable {
    private val driver = RedisClient.create(stage.redis.uriFor("app", PASSWORD))
    private val connection = driver.connect(ByteArrayCodec.INSTANCE)

    fun run(
        script: Script,
        keys: List<ByteArray>,
        vararg arguments: String,
    ): Any? {
        val values = arguments.map { it.toByteArray() }.toTypedArray()
        return connection.sync().eval<Any?>(script.body, ScriptOutputType.MULTI, keys.toTypedArray(), *values)
    }

    /** Whether that is refused without [command]. */
    fun isRefused(
        command: String,
        script: Script,
        keys: List<ByteArray>,
        vararg arguments: String,
    ): Boolean {
        stage.redis.command("ACL", "SETUSER", "app", "-$command")
        return runCatching { run(script, keys, *arguments) }.isFailure.also { stage.redis.command("ACL", "SETUSER", "app", "+$command") }
    }

    override fun close() {
        connection.close()
        driver.shutdown()
    }
}

/** What [key] holds, and whether it lives for ever. */
private fun RedisServer.contentOf(key: String): String {
    val content =
        when (command("TYPE", key)) {
            "hash" -> command("HGETALL", key)
            "zset" -> command("ZRANGE", key, "0", "-1", "WITHSCORES")
            else -> "nothing"
        }
    return "$content, for ever: ${command("PTTL", key) == "-1"}"
}

/**
 * Scripts that run seldom, with each of their commands refused in turn: what is stored means the old or the new state, whichever it is the
 * same can be asked for again, and nothing is left for ever.
 */
class HalfRefusedScriptsTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds
    val delete = Scripts.production.delete
    val keep = Scripts.production.keep

    suspend fun refusing(scene: suspend Stage.(AsApp) -> Unit) =
        onStage({ user("app", "on", ">$PASSWORD", "~*", "&*", "+@all") }) { AsApp(this).use { scene(it) } }

    test("delete: a semaphore goes on with all that is held, or is gone for everybody") {
        refusing { app ->
            val here = client(lease = 60.seconds)
            val there = client(lease = 60.seconds)
            var refusals = 0
            for (command in commandsOf("delete")) {
                withClue("without $command") {
                    val semaphore = here.semaphore(command, 4)
                    val held = semaphore.acquire()
                    semaphore.acquire(permits = 2)
                    val waiting = launch { runCatching { there.semaphore(command, 4).withPermit(permits = 4) { awaitCancellation() } } }
                    stored(command).awaitQueued(1)
                    val keys = Keys("signalbox").of(LedgerName(Kind.SEMAPHORE, command))
                    val names = keys.map { String(it) }
                    val epoch = stored(command).epoch
                    val before = names.map(redis::contentOf)

                    val isRefused = app.isRefused(command, delete, keys, epoch, Labels.encoded("app"), "1")
                    if (isRefused) refusals++
                    val isOld = stored(command).epoch == epoch
                    if (isOld) {
                        isRefused shouldBe true
                        names.map(redis::contentOf) shouldBe before
                        held.release() shouldBe true
                        waiting.isActive shouldBe true
                    } else {
                        names.count { redis.command("PTTL", it) == "-1" } shouldBe 0
                    }
                    val again = app.run(delete, keys, epoch, Labels.encoded("app"), "1") as List<*>
                    String(again.first() as ByteArray) shouldBe if (isOld) "1" else "0"
                    waiting.cancelAndJoin()
                    // Nothing of the former one counts.
                    client().semaphore(command, 4).acquire(permits = 4).release() shouldBe true
                }
            }
            refusals shouldBeGreaterThan 5
        }
    }

    test("delete: an event keeps its signals for ever, or is gone") {
        refusing { app ->
            val client = client(lease = 60.seconds)
            for (command in commandsOf("delete")) {
                withClue("without $command") {
                    client.event(command).set()
                    val keys = Keys("signalbox").of(LedgerName(Kind.EVENT, command))
                    val names = keys.map { String(it) }
                    val epoch = redis.command("HGET", names[0], "epoch")
                    val before = names.map(redis::contentOf)
                    app.isRefused(command, delete, keys, epoch, Labels.encoded("app"), "1")
                    if (redis.command("HGET", names[0], "epoch") == epoch) {
                        names.map(redis::contentOf) shouldBe before
                        client.event(command).isSet() shouldBe true
                    } else {
                        names.count { redis.command("PTTL", it) == "-1" } shouldBe 0
                    }
                }
            }
        }
    }

    test("keep: nothing lives shorter than before, and all that was meant does when it is asked for again") {
        refusing { app ->
            val client = client(lease = 60.seconds)
            var refusals = 0
            for (command in commandsOf("keep")) {
                withClue("without $command") {
                    val names = listOf("$command-1", "$command-2")
                    val keys = names.flatMap { name ->
                        client.semaphore(name, 2).acquire(permits = 2)
                        Keys("signalbox").of(LedgerName(Kind.SEMAPHORE, name))
                    }
                    val stored = keys.map { String(it) }.filter { redis.command("EXISTS", it) == "1" }
                    val index = "index-$command"
                    redis.command("ZADD", index, "1", "old")
                    for (key in stored + index) redis.command("PEXPIRE", key, "60000")
                    val contents = stored.map(redis::contentOf)
                    val arguments = arrayOf("3600000", "9000000000000", "5") + names

                    if (app.isRefused(command, keep, listOf(index.toByteArray()) + keys, *arguments)) refusals++
                    stored.map(redis::contentOf) shouldBe contents
                    for (key in stored + index) redis.command("PTTL", key).toLong() shouldBeGreaterThan 30_000L
                    app.run(keep, listOf(index.toByteArray()) + keys, *arguments)
                    stored.map(redis::contentOf) shouldBe contents
                    for (key in stored + index) redis.command("PTTL", key).toLong() shouldBeGreaterThan 3_000_000L
                    redis.command("ZRANGE", index, "0", "-1").lines().filter { it.isNotEmpty() } shouldBe names
                }
            }
            refusals shouldBeGreaterThan 4
        }
    }

    test("pool-create: what is left expires, and is not mixed into the pool that somebody creates then") {
        refusing {
            for (command in commandsOf("pool-create")) {
                for ((strategy, permits) in listOf(InitStrategy.LUA to 3, InitStrategy.OPTIMISTIC_LOCKING to 5)) {
                    val name = "$command-$strategy"
                    withClue("without $command") {
                        val app = client(redis.uriFor("app", PASSWORD), lease = 60.seconds)
                        redis.command("ACL", "SETUSER", "app", "-$command")
                        runCatching { app.semaphore(name, 3) { algorithm = SemaphoreAlgorithm.Pool() } }.isFailure shouldBe true
                        redis.command("ACL", "SETUSER", "app", "+$command")
                        redis.command("HGET", "signalbox:pool:{$name}:state", "id") shouldBe ""
                        val left = redis.command("KEYS", "signalbox:pool:{$name}:*").lines().filter { it.isNotEmpty() }
                        for (key in left) withClue(key) { redis.command("PTTL", key).toLong() shouldBeGreaterThan 0L }
                        val pool = client(lease = 60.seconds).semaphore(name, permits) { algorithm = SemaphoreAlgorithm.Pool(strategy) }
                        val all = List(permits) { pool.tryAcquire().shouldNotBeNull() }
                        pool.tryAcquire().shouldBeNull()
                        all.forEach { it.release() shouldBe true }
                    }
                }
            }
        }
    }
})
