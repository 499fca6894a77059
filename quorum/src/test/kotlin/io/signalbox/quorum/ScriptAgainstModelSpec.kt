package io.signalbox.quorum

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisClient
import io.lettuce.core.api.sync.RedisCommands
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.codec.StringCodec
import io.lettuce.core.output.ValueListOutput
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.quorum.internal.master.Answer
import io.signalbox.quorum.internal.master.Handed
import io.signalbox.quorum.internal.master.Known
import io.signalbox.quorum.internal.master.Request
import io.signalbox.quorum.internal.memory.Asker
import io.signalbox.quorum.internal.memory.MasterState
import io.signalbox.quorum.internal.redis.QuorumScript
import java.util.UUID
import kotlin.random.Random

/** The script and the model answer the same, whatever they are asked in whatever order, and hand the same slots to the same bids. */
class ScriptAgainstModelSpec : FunSpec({
    val sequences = System.getProperty("signalbox.sequences")?.toInt() ?: 60
    val first = System.getProperty("signalbox.seed")?.toInt() ?: 1
    val client by lazy { RedisClient.create(Masters.shared[0].uri) }
    val text by lazy { client.connect(StringCodec.UTF8) }
    val bytes by lazy { client.connect(ByteArrayCodec.INSTANCE) }
    afterSpec { client.shutdown() }

    test("script and model agree") {
        for (seed in first until first + sequences) withClue("seed $seed") { Sequence(Random(seed), text.sync(), bytes.sync()).run() }
    }
})

private const val INBOX = "inbox"

private class Sequence(
    private val random: Random,
    private val text: RedisCommands<String, String>,
    private val redis: RedisCommands<ByteArray, ByteArray>,
) {
    private val namespace = "m-${UUID.randomUUID()}"
    private val subject = LedgerName(Kind.SEMAPHORE, "s")
    private val script = QuorumScript(namespace, LEASE, LONGEST, 3_600_000, "label", "id")
    private val body = QuorumScript.script.text.replace(
        "local time = redis.call('TIME')",
        "local clock = redis.call('GET', '$namespace:clock')\nlocal time = { math.floor(clock / 1000), (clock % 1000) * 1000 }",
    )
    private var now = 1_000_000_000_000L
    private val heard = ArrayList<String>()
    private val asker = Asker(LEASE, LONGEST, "label", "id") { name, it -> heard += line(name, it) }
    private var model = MasterState({ now }, bornAt = now)
    private val owners = ArrayList<Pair<Int, String>>()
    private var version = 0L
    private var permits = 3
    private var number = 1L

    private fun line(
        name: String,
        handed: Handed,
    ) = "$name ${handed.bid} ${handed.slot} ${handed.number} ${handed.fence} ${handed.held}"

    fun run() {
        check("TIME" !in body)
        repeat(60) { step ->
            now += listOf(0, 1, 5, 300, 1_000).random(random)
            if (random.nextInt(40) == 0) now -= 2_000
            val known = Known(3, permits, version, if (random.nextInt(10) == 0) random.nextLong(now, now + 100) else 0)
            val request = request()
            // A server that is asked for the first time is as old as the first question.
            if (step == 0) model = MasterState({ now }, bornAt = now)
            text.set("$namespace:clock", "$now")
            withClue("step $step, at $now, $request") {
                val answer = QuorumScript.answer(request, reply(known, request))
                shown(answer) shouldBe shown(model.answer("s", known, request, asker))
                model.takeHanded().forEach { it() }
                text.lrange("$namespace:$INBOX", 0, -1) shouldBe heard
                (answer.body as? Answer.Taken)?.let { owners += it.slot to Request.owner((request as Request.Take).bid, it.number) }
            }
        }
    }

    private fun request(): Request =
        when (random.nextInt(10)) {
            in 0..3 -> {
                val place = if (random.nextBoolean()) -1 else random.nextLong(9)
                Request.Take(bid(), number++, random.nextInt(-1, 5), random.nextBoolean(), place, "q")
            }
            in 4..5 -> owner().let { Request.Release(it.first, it.second, random.nextInt(4) > 0) }
            6 -> Request.Leave(bid(), random.nextLong(1, number + 1))
            7 -> Request.Renew(
                List(random.nextInt(3)) { owner().let { Request.Held(it.first, it.second, random.nextLong(now, now + 50)) } },
            )
            8 -> {
                version++
                permits = random.nextInt(1, 5)
                Request.Resize
            }
            else -> Request.Look(random.nextInt(1, 4))
        }

    private fun bid() = "c.q.${random.nextInt(5)}"

    private fun owner() = if (owners.isEmpty() || random.nextInt(6) == 0) Pair(random.nextInt(4), "${bid()}/1") else owners.random(random)

    private fun reply(
        known: Known,
        request: Request,
    ): List<ByteArray> {
        val keys = script.keys(subject)
        val args = CommandArgs(ByteArrayCodec.INSTANCE).add(body.toByteArray()).add(keys.size.toLong())
        keys.forEach(args::addKey)
        with(script) { args.addRequest(known, request, "$namespace:$INBOX") }
        return redis.dispatch(CommandType.EVAL, ValueListOutput(ByteArrayCodec.INSTANCE), args)
    }

    private fun shown(answer: Answer): String {
        val head = "${answer.code} ${answer.permits} ${answer.version} ${answer.declared} ${answer.quarantineMillis} ${answer.fence} "
        return head +
            when (val body = answer.body) {
                is Answer.Taken -> "${body.slot} ${body.number} ${body.held}"
                is Answer.Refused -> "${body.endsInMillis} ${body.free}"
                is Answer.Released -> "${body.isHandedOn}"
                is Answer.Renewed -> "${body.isHeld}"
                is Answer.Seen ->
                    body.slots.map { "${it.slot} ${it.owner} ${it.leftMillis} ${it.fence} ${it.sinceMillis} ${it.label}" }
                        .sorted().toString() +
                        body.waiters.map { "${it.bid} ${it.leftMillis} ${it.label}" }
                Answer.Nothing -> ""
            }
    }

    private companion object {
        const val LEASE = 1_000L
        const val LONGEST = 1_500L
    }
}
