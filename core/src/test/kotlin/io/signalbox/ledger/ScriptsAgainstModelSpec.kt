package io.signalbox.ledger

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisClient
import io.lettuce.core.api.StatefulRedisConnection
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.codec.StringCodec
import io.lettuce.core.output.ValueListOutput
import io.lettuce.core.protocol.AsyncCommand
import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import io.signalbox.history.isFullRun
import io.signalbox.internal.ledger.Announcement
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.Labels
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.ledger.News
import io.signalbox.internal.redis.AnswerParser
import io.signalbox.internal.redis.Keys
import io.signalbox.internal.redis.Script
import io.signalbox.internal.redis.ScriptArgs
import io.signalbox.internal.redis.ScriptArgs.addExchange
import io.signalbox.internal.redis.ScriptArgs.addOpening
import io.signalbox.internal.redis.Scripts
import io.signalbox.testkit.RedisServer
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours

/**
 * The scripts on a real server against the model in memory, call by call: 800 random sequences of 60 calls (2 500 in the full run), and a fortieth of them with a
 * refused command before each call.
 *
 * The scripts run as they are, except that their clock is given: as a seventh key, which no script touches.
 */
class ScriptsAgainstModelSpec :
    FunSpec({
        timeout = 5.hours.inWholeMilliseconds
        val sequences = System.getProperty("signalbox.sequences")?.toInt() ?: if (isFullRun) 2_500 else 800
        val seed = System.getProperty("signalbox.seed")?.toLong() ?: Random.nextLong()

        test("$sequences random sequences from seed $seed") {
            val client = RedisClient.create(RedisServer.shared().uri)
            client.connect(ByteArrayCodec.INSTANCE).use { connection ->
                client.connect(StringCodec.UTF8).use { inspection ->
                    val subject = ScriptSubject(connection, inspection)
                    val seeds = Random(seed)
                    // One is ahead: while the server works at a sequence, the former one is compared.
                    var ahead = subject.send(seeds.nextLong(), LENGTH)
                    repeat(sequences) {
                        val sent = ahead
                        if (it < sequences - 1) ahead = subject.send(seeds.nextLong(), LENGTH)
                        subject.compareOrReduce(sent)
                    }
                    println(
                        "scripts against model: $sequences sequences, ${subject.calls} calls, ${subject.expectationsMet} as expected, " +
                            "${subject.summons} summons, seed $seed",
                    )
                }
            }
            client.shutdown()
        }

        test("whatever command of a script is refused, the same request can be made again, and everything is as if it had not been") {
            RedisServer.start().use { server ->
                server.command("ACL", "SETUSER", "app", "on", "nopass", "~*", "+@all")
                val client = RedisClient.create(server.uri)
                val app = RedisClient.create("redis://app:any@${server.host}:${server.port}")
                app.connect(ByteArrayCodec.INSTANCE).use { connection ->
                    client.connect(StringCodec.UTF8).use { inspection ->
                        val subject = ScriptSubject(connection, inspection)
                        val refusals =
                            Refusals(subject.scripts) { name, permitted ->
                                server.command("ACL", "SETUSER", "app", (if (permitted) "+" else "-") + name)
                            }
                        subject.announces = true
                        val seeds = Random(seed)
                        // Some are rare.
                        var played = 0
                        while (played < sequences / REFUSED_SHARE || (played < MOST_REFUSED && refusals.counts.any { it.value == 0 })) {
                            subject.compare(subject.send(seeds.nextLong(), LENGTH, refusals))
                            played++
                        }
                        println("scripts with refused commands: ${refusals.counts} in ${subject.calls} calls, seed $seed")
                        // Every command of every script.
                        withClue("seed $seed") { refusals.counts.filterValues { it == 0 }.keys shouldBe emptySet() }
                    }
                }
                client.shutdown()
                app.shutdown()
            }
        }
    })

/** Has the server refuse one command after the other. */
private class Refusals(
    private val scripts: Scripts,
    private val permit: (name: String, permitted: Boolean) -> Unit,
) {
    /** How often each command of each script was the one that is refused; but for what a script does not mind. */
    val counts: MutableMap<Pair<String, String>, Int> =
        mapOf("open" to scripts.open, "exchange" to scripts.exchange)
            .flatMap { (name, script) -> commandsOf(script).map { Pair(name, it) } }
            .associateWithTo(LinkedHashMap()) { 0 }

    var last = ""
        private set

    private fun commandsOf(script: Script) =
        // HGETALL comes where the index of sessions was evicted, which has no sequence.
        Regex("(?<!p)call\\('([A-Z]+)'").findAll(String(script.body)).map { it.groupValues[1] }.toSortedSet() - "HGETALL"

    /** Makes [request] with a command of its script refused: then it was executed, [isExecuted], or has left what is [listed] as it was. */
    fun refuseOne(
        step: Step,
        random: Random,
        listed: () -> Any,
        isExecuted: () -> Boolean,
        request: () -> AsyncCommand<*, *, *>,
    ) {
        val choice = counts.keys.filter { it.first == if (step is Step.Open) "open" else "exchange" }
        val chosen = if (random.nextBoolean()) choice.random(random) else choice.minBy { counts.getValue(it) }
        permit(chosen.second, false)

        val before = listed()
        val isRefused = runCatching { request().toCompletableFuture().get(60, TimeUnit.SECONDS) }.isFailure
        if (isRefused && !isExecuted()) withClue({ "${chosen.second} was refused to ${chosen.first}" }) { listed() shouldBe before }
        permit(chosen.second, true)
        last = "${chosen.second} was refused: $isRefused"
        if (isRefused) counts.merge(chosen, 1, Int::plus)
    }
}

private const val LENGTH = 60
private const val MOST_REFUSED = 3_000
private const val REFUSED_SHARE = 40
private const val RETENTION_MILLIS = 3_600_000L

/** With the epoch, which a goodbye need not know. */
private val SUMMONS = Regex(" \\S+ ask$")

/** A sequence whose calls are on their way to the server. */
private class Sent(
    val seed: Long,
    val length: Int,
    val sequence: RandomSequence,
    val steps: List<Step>,
    val keys: List<String>,
    val replies: List<AsyncCommand<ByteArray, ByteArray, List<ByteArray>>>,
    /** What was refused before each call, which was then made again. */
    val refused: List<String>?,
)

private class ScriptSubject(
    private val connection: StatefulRedisConnection<ByteArray, ByteArray>,
    private val inspection: StatefulRedisConnection<String, String>,
) {
    val scripts =
        Scripts { text -> text.replace("redis.call('TIME')", "{ string.match(KEYS[7], '^(%d+) (%d+)$') }") }
    private val names = AtomicInteger()

    /** Pushes announcements itself, instead of returning them to be compared. */
    var announces = false
    private val keysOf = Keys("model")
    var calls = 0
        private set

    /** How many exchanges were answered by the short way. */
    var expectationsMet = 0
        private set

    /** How many exchanges kept something while somebody waited. */
    var summons = 0
        private set

    init {
        for (script in listOf(scripts.open, scripts.exchange)) inspection.sync().scriptLoad(String(script.body))
    }

    fun send(
        seed: Long,
        length: Int,
        refusals: Refusals? = null,
    ): Sent {
        val sequence = RandomSequence(seed, length)
        val steps = sequence.run()
        val keys = keysOf.of(LedgerName(Kind.SEMAPHORE, "s${names.incrementAndGet()}"))
        calls += steps.size
        val random = Random(seed)
        val before = ArrayList<String>()
        val replies =
            steps.map { step ->
                // A goodbye has no number: saying it again does what is left of it.
                val isNumbered = step is Step.Open || (step is Step.Exchanged && !step.exchange.goodbye)
                if (refusals != null && isNumbered) refuseOne(refusals, step, random, keys)
                val reply = send(step, keys)
                // Before something is refused again.
                if (refusals != null) runCatching { reply.toCompletableFuture().get(60, TimeUnit.SECONDS) }
                if (refusals != null) before += if (isNumbered) refusals.last else ""
                reply
            }
        return Sent(seed, length, sequence, steps, keys.map { String(it) }, replies, before.takeIf { refusals != null })
    }

    private fun refuseOne(
        refusals: Refusals,
        step: Step,
        random: Random,
        keys: List<ByteArray>,
    ) {
        val names = keys.map { String(it) }
        val session = if (step is Step.Open) step.opening.session else (step as Step.Exchanged).exchange.session
        val commands = inspection.sync()
        val record = commands.hget(names[0], session)
        refusals.refuseOne(
            step,
            random,
            listed = { listOf(commands.zrange(names[1], 0, -1), commands.zrangeWithScores(names[2], 0, -1)) },
            isExecuted = { commands.hget(names[0], session) != record },
        ) { send(step, keys) }
    }

    /** [compare]; a difference is reported for the shortest beginning of the sequence that shows one. */
    fun compareOrReduce(sent: Sent) {
        try {
            compare(sent)
        } catch (difference: AssertionError) {
            for (shorter in 3 until sent.length) compare(send(sent.seed, shorter))
            throw difference
        }
    }

    fun compare(sent: Sent) {
        val length = sent.steps.size
        sent.steps.zip(sent.replies).forEachIndexed { index, (step, reply) ->
            if (step is Step.Wiped) return@forEachIndexed
            withClue({
                "seed ${sent.seed}, step $index of $length at ${step.micros}: ${describe(step)} ${sent.refused?.get(index).orEmpty()}"
            }) {
                check(step, reply.toCompletableFuture().get(60, TimeUnit.SECONDS), sent.refused != null)
            }
        }
        val state = sent.sequence.state
        withClue({ "seed ${sent.seed}, state after $length steps" }) {
            if (state == null) {
                inspection.sync().exists(*sent.keys.toTypedArray()) shouldBe 0
            } else {
                val offset = inspection.sync().hget(sent.keys[0], "offset").toLong()
                inspection.sync().dump(sent.keys, offset) shouldBe state.dump()
            }
        }
        inspection.sync().del(*sent.keys.toTypedArray())
    }

    private fun send(
        step: Step,
        keys: List<ByteArray>,
    ): AsyncCommand<ByteArray, ByteArray, List<ByteArray>> {
        val time = "${step.micros / 1_000_000} ${step.micros % 1_000_000}".toByteArray()
        return when (step) {
            is Step.Open -> evalsha(scripts.open, keys + time) { addOpening(step.opening) }
            is Step.Exchanged ->
                evalsha(scripts.exchange, keys + time) { addExchange(step.exchange, announces, RETENTION_MILLIS, step.bound.toLong()) }
            is Step.Wiped -> dispatch(CommandType.DEL, CommandArgs(ByteArrayCodec.INSTANCE).addKeys(keys))
        }
    }

    private fun evalsha(
        script: Script,
        keys: List<ByteArray>,
        arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
    ) = dispatch(CommandType.EVALSHA, script.call(script.sha, keys).apply(arguments))

    private fun dispatch(
        type: CommandType,
        args: CommandArgs<ByteArray, ByteArray>,
    ): AsyncCommand<ByteArray, ByteArray, List<ByteArray>> {
        val command = AsyncCommand(Command(type, ValueListOutput(ByteArrayCodec.INSTANCE), args))
        connection.dispatch(command)
        return command
    }

    private fun check(
        step: Step,
        reply: List<ByteArray>,
        isRepeated: Boolean,
    ) {
        when (step) {
            is Step.Open -> AnswerParser.opened(reply) shouldBe step.expected
            is Step.Exchanged -> {
                if (reply[0][0] == '='.code.toByte()) expectationsMet++
                if (step.summoned.isNotEmpty()) summons++
                AnswerParser.exchanged(reply[0], step.exchange).comparable() shouldBe step.expected.comparable()
                if (!isRepeated) received(reply) shouldBe expected(step)
            }

            is Step.Wiped -> Unit
        }
    }

    private fun received(reply: List<ByteArray>): Map<String, List<String>> =
        reply.drop(1).map { String(it) }.chunked(2).groupBy({ it[0] }, { it[1].replace(SUMMONS, " ask") })

    private fun expected(step: Step.Exchanged): Map<String, List<String>> =
        (
            step.announced.map { it.inbox to "${it.session} ${it.announcement.text()}" } +
                step.summoned.map { it.inbox to "${it.session} ask" }
            ).groupBy({ it.first }, { it.second })

    /** Without what only one of the two ways says, and nobody asks for. */
    private fun Answer.comparable(): Answer =
        if (this is Answer.Done) copy(queues = 0, firstTicket = if (queued == 0) 0 else firstTicket) else this

    private fun describe(step: Step): String =
        when (step) {
            is Step.Open -> step.opening.run {
                "open $session after $previous, puts back $running and ${listed.map { it.token }}, floor $floor"
            }
            is Step.Exchanged ->
                step.exchange.run {
                    "exchange $session $number at '$epoch'${if (goodbye) " goodbye" else ""}: $words, acquires ${acquires.map {
                        "${it.count}x${it.weight}${if (it.holdMillis < 0) "" else " for ${it.holdMillis}"}${if (it.waits) "" else " or not"}"
                    }}, releases ${releases.map {
                        "${it.grant.token}${if (it.keptUntil > 0) " kept until ${it.keptUntil}" else ""}"
                    }}, leaves $leaves, ${commands.map { it::class.simpleName }}, bound ${step.bound}, " +
                        "expects ${expected?.after}"
                }

            is Step.Wiped -> "wiped"
        }
}

/** As on the wire. */
internal fun News.text(): String =
    when (this) {
        is News.Admitted -> "a $sequence $token $count $given $held"
        is News.Granted -> "g $sequence $token $count $held $grantedAt"
        is News.Refused -> "r $sequence $count"
        is News.Revoked -> "x $token ${Labels.encoded(by)}"
    }

private fun Announcement.text(): String =
    (listOf("$epoch $given $admitted $restrained $held $queued") + unread.map { it.text() }).joinToString(" ")
