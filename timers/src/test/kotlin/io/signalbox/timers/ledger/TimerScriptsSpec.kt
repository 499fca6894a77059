package io.signalbox.timers.ledger

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisClient
import io.lettuce.core.ScriptOutputType
import io.lettuce.core.api.StatefulRedisConnection
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.codec.StringCodec
import io.lettuce.core.output.ValueListOutput
import io.lettuce.core.protocol.AsyncCommand
import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.behaviour.freshNamespace
import io.signalbox.timers.internal.memory.Mark
import io.signalbox.timers.internal.memory.ShardState
import io.signalbox.timers.internal.memory.execute
import io.signalbox.timers.internal.redis.TimerAnswers
import io.signalbox.timers.internal.redis.TimerArgs.addTurn
import io.signalbox.timers.internal.redis.TimerArgs.addWrite
import io.signalbox.timers.internal.redis.TimerKeys
import io.signalbox.timers.internal.redis.TimerScripts
import java.util.concurrent.TimeUnit
import kotlin.random.Random

/**
 * The scripts on a real server against the model in memory, call by call, with repetitions and late deliveries among the calls.
 *
 * `-Dsignalbox.sequences` makes it longer. The scripts run as they are, except that their clock is given: as one more key.
 */
class TimerScriptsSpec :
    FunSpec({
        val sequences = System.getProperty("signalbox.sequences")?.toInt() ?: 100
        val seed = System.getProperty("signalbox.seed")?.toLong() ?: Random.nextLong()

        test("$sequences random sequences from seed $seed") {
            val client = RedisClient.create(RedisServer.shared().uri)
            client.connect(ByteArrayCodec.INSTANCE).use { connection ->
                client.connect(StringCodec.UTF8).use { inspection ->
                    val subject = ScriptSubject(connection, inspection)
                    val seeds = Random(seed)
                    repeat(sequences) { subject.compare(seeds.nextLong(), length = 40 + it % 41) }
                    println("timer scripts against model: $sequences sequences, ${subject.calls} calls, seed $seed")
                }
            }
            client.shutdown()
        }

        test("whatever command of a script is refused, everything is as before, and the request can be made again") {
            RedisServer.start().use { server ->
                server.command("ACL", "SETUSER", "app", "on", "nopass", "~*", "+@all")
                val client = RedisClient.create(server.uri)
                val app = RedisClient.create("redis://app:any@${server.host}:${server.port}")
                app.connect(ByteArrayCodec.INSTANCE).use { connection ->
                    client.connect(StringCodec.UTF8).use { inspection ->
                        val subject = ScriptSubject(connection, inspection)
                        subject.refuse =
                            { name, permitted -> server.command("ACL", "SETUSER", "app", (if (permitted) "+" else "-") + name) }
                        val seeds = Random(seed)
                        repeat(sequences / 5) { subject.compare(seeds.nextLong(), length = 40) }
                        println("timer scripts with refused commands: ${subject.refusals} in ${subject.calls} calls, seed $seed")
                        // Every command of every script.
                        withClue("seed $seed") { subject.refusals.filterValues { it == 0 }.keys shouldBe emptySet() }
                    }
                }
                client.shutdown()
                app.shutdown()
            }
        }

        test("whatever command is refused, the number of shards is as before, and can be declared again") {
            RedisServer.start().use { server ->
                server.command("ACL", "SETUSER", "app", "on", "nopass", "~*", "+@all")
                val app = RedisClient.create("redis://app:any@${server.host}:${server.port}")
                val shards = TimerScripts.production.shards.text
                app.connect(StringCodec.UTF8).use { connection ->
                    fun declare(
                        key: String,
                    ) = connection.sync().eval<List<String>>(shards, ScriptOutputType.MULTI, arrayOf(key), "3", "2", "2")
                    for (command in commandsOf(shards)) {
                        for (before in listOf(emptyMap(), mapOf("shards" to "2", "format" to "2"))) {
                            val key = "$command-${before.size}"
                            withClue(key) {
                                if (before.isNotEmpty()) connection.sync().hset(key, before)
                                server.command("ACL", "SETUSER", "app", "-$command")
                                runCatching { declare(key) }.isFailure shouldBe true
                                server.command("ACL", "SETUSER", "app", "+$command")
                                connection.sync().hgetall(key) shouldBe before
                                declare(key) shouldBe listOf("3", "2")
                                connection.sync().hgetall(key) shouldBe mapOf("shards" to "3", "format" to "2")
                            }
                        }
                    }
                }
                app.shutdown()
            }
        }
    })

/** All that a script uses, but for what it does not mind being refused: announcements go another way then. */
private fun commandsOf(text: String): Set<String> = Regex("(?<!p)call\\('([A-Z]+)'").findAll(text).map { it.groupValues[1] }.toSortedSet()

private class ScriptSubject(
    private val connection: StatefulRedisConnection<ByteArray, ByteArray>,
    private val inspection: StatefulRedisConnection<String, String>,
) {
    private val texts = ArrayList<String>()
    init {
        TimerScripts { it.replace("redis.call('TIME')", "{ string.match(KEYS[#KEYS], '^(%d+) (%d+)$') }").also(texts::add) }
    }

    private val writeSha = inspection.sync().scriptLoad(texts[0]).toByteArray()
    private val turnSha = inspection.sync().scriptLoad(texts[1]).toByteArray()
    private val namespace = freshNamespace()
    private var sequence = 0
    var calls = 0
        private set

    /** How often each command of each script was the one that is refused. */
    val refusals: MutableMap<Pair<Script, String>, Int> =
        Script.entries.flatMap { script ->
            commandsOf(texts[script.ordinal]).map { Pair(script, it) }
        }.associateWithTo(LinkedHashMap()) { 0 }

    /** Has the server refuse a command of this name, or permit it again. */
    var refuse: ((name: String, permitted: Boolean) -> Unit)? = null

    fun compare(
        seed: Long,
        length: Int,
    ) {
        val keys = TimerKeys(namespace, "s${sequence++}", TimerKeys.TIMELINE, TimerKeys.PAYLOADS)
        val model = ShardState()
        val steps = RandomRequests(seed).take(length)
        steps.forEachIndexed { index, step ->
            calls++
            withClue({ "seed $seed, step $index of $length: $step" }) {
                val woken = ArrayList<String>()
                val time = "${step.micros / 1_000_000} ${step.micros % 1_000_000}".toByteArray()
                val announced: List<List<ByteArray>>
                // A session that has said goodbye is not known any more, and says nothing twice.
                val isLast = step is Step.Turning && step.turn.goodbye
                val wasMade = refuse?.takeIf { !isLast }?.let { tryRefused(it, keys, step, time, Random(seed + index)) } ?: false
                when (step) {
                    is Step.Writing -> {
                        val expected = model.execute(step.write, step.micros, woken).text()
                        val reply = send(writeSha, keys.of(step.write.topics.map { it.topic }) + time) { addWrite(step.write, false) }
                        TimerAnswers.written(reply).text() shouldBe expected
                        announced = TimerAnswers.announcements(reply, 1)
                    }

                    is Step.Turning -> {
                        val answer = model.execute(step.turn, step.micros, woken)
                        val reply = send(turnSha, keys.of(step.turn.topics.map { it.topic }) + time) { addTurn(step.turn, false) }
                        val (actual, end) = TimerAnswers.turned(reply)
                        actual.text() shouldBe answer.text()
                        announced = TimerAnswers.announcements(reply, end)
                        step.onAnswer(answer)
                    }
                }
                // A request that was answered before wakes nobody again.
                if (!wasMade) {
                    announced.map { (inbox, line) -> "${String(line).substringBefore(' ')} ${String(inbox)}" } shouldBe
                        woken.distinct()
                }
                // Reading everything takes sixteen commands, and what differs stays different.
                if (index % 10 == 9 || index == length - 1) stored(keys) shouldBe model.dump()
            }
        }
        val pattern = "$namespace:timers2:{s${sequence - 1}:0}:*"
        val all = RedisServer.shared().command("KEYS", pattern).lines().filter(String::isNotEmpty)
        if (all.isNotEmpty()) inspection.sync().del(*all.toTypedArray())
    }

    /** Makes the request with one of its commands refused, and tells whether it was executed because it needs no such command. */
    private fun tryRefused(
        refuse: (String, Boolean) -> Unit,
        keys: TimerKeys,
        step: Step,
        time: ByteArray,
        random: Random,
    ): Boolean {
        val script = if (step is Step.Writing) Script.WRITE else Script.TURN
        val choice = refusals.keys.filter { it.first == script }
        // Those first that have been missed until now.
        val chosen = if (random.nextBoolean()) choice.random(random) else choice.minBy { refusals.getValue(it) }
        val name = chosen.second
        val before = stored(keys, withSleepers = false)
        refuse(name, false)
        val isRefused =
            runCatching {
                when (step) {
                    is Step.Writing -> send(writeSha, keys.of(step.write.topics.map { it.topic }) + time) { addWrite(step.write, false) }
                    is Step.Turning -> send(turnSha, keys.of(step.turn.topics.map { it.topic }) + time) { addTurn(step.turn, false) }
                }
            }.isFailure
        refuse(name, true)
        if (isRefused) {
            refusals.merge(chosen, 1, Int::plus)
            withClue({ "$name refused" }) { stored(keys, withSleepers = false) shouldBe before }
        }
        return !isRefused
    }

    private fun TimerKeys.of(topics: List<String>) = ofShard(0) + topics.flatMap { ofTopic(0, it) }

    private fun send(
        script: ByteArray,
        keys: List<ByteArray>,
        arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
    ): List<ByteArray> {
        val args = CommandArgs(ByteArrayCodec.INSTANCE).add(script).add(keys.size.toLong())
        keys.forEach(args::addKey)
        val command = AsyncCommand(Command(CommandType.EVALSHA, ValueListOutput(ByteArrayCodec.INSTANCE), args.apply(arguments)))
        connection.dispatch(command)
        return command.toCompletableFuture().get(60, TimeUnit.SECONDS)
    }

    /** What the keys of the topics say, in the words of [dump]. */
    private fun stored(
        keys: TimerKeys,
        withSleepers: Boolean = true,
    ): String =
        RandomRequests.TOPICS.joinToString("\n") { topic ->
            val all = keys.ofTopic(0, topic).map { String(it) }
            val (due, payloads, marks, shelf, paused) = all
            val sync = inspection.sync()
            fun zset(key: String) = sync.zrangeWithScores(key, 0, -1).map { "${it.value}=${it.score.toLong()}" }
            "$topic: ${zset(due)} ${sync.hgetall(payloads).toSortedMap()} ${sync.hgetall(marks).toSortedMap()} ${zset(shelf)} " +
                "${zset(paused)} ${if (withSleepers) zset(all[5]) else ""}"
        } + "\n" + (inspection.sync().hget(String(keys.ofShard(0)[0]), "fence") ?: "0") + " " + paused(keys)

    private fun paused(keys: TimerKeys) =
        inspection.sync().hget(String(keys.ofShard(0)[0]), "paused").orEmpty().split('\n').filter { it.isNotEmpty() }.sorted()
}

/** In the order in which they are loaded. */
private enum class Script {
    WRITE,
    TURN,
}

private fun ShardState.dump(): String =
    RandomRequests.TOPICS.joinToString("\n") { name ->
        val topic = topic(name)
        val marks = topic.marks.mapValues { (_, mark) ->
            when (mark) {
                is Mark.Claimed -> "${mark.token} ${mark.attempts} ${mark.due}"
                is Mark.Shelved -> "${mark.shelf.code} ${mark.attempts} ${mark.due} ${mark.reason}"
            }
        }
        fun set(set: io.signalbox.timers.internal.memory.ScoreSet) = set.toList().map { "${it.member}=${it.score}" }
        "$name: ${set(topic.due)} ${topic.records.mapValues {
            String(it.value)
        }.toSortedMap()} ${marks.toSortedMap()} ${set(topic.shelf)} " +
            "${set(topic.paused)} ${set(topic.sleepers)}"
    } + "\n" + fence + " " + paused.sorted()
