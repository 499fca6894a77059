package io.signalbox.timers.ledger

import io.signalbox.timers.internal.ledger.Change
import io.signalbox.timers.internal.ledger.Due
import io.signalbox.timers.internal.ledger.SetTimer
import io.signalbox.timers.internal.ledger.Settlement
import io.signalbox.timers.internal.ledger.Shelf
import io.signalbox.timers.internal.ledger.TopicTurn
import io.signalbox.timers.internal.ledger.TopicWrite
import io.signalbox.timers.internal.ledger.Turn
import io.signalbox.timers.internal.ledger.TurnAnswer
import io.signalbox.timers.internal.ledger.Write
import io.signalbox.timers.internal.ledger.WriteAnswer
import kotlin.random.Random

/** A request at a moment of the server's clock. */
internal sealed interface Step {
    val micros: Long

    class Writing(
        override val micros: Long,
        val write: Write,
    ) : Step {
        override fun toString() =
            "write ${write.session} ${write.number} at $micros: " +
                write.topics.map {
                    "${it.topic} sets ${it.sets.map { s -> s.id }} ${it.changes.map { c -> "${c::class.simpleName} ${c.id}" }}"
                }
    }

    class Turning(
        override val micros: Long,
        val turn: Turn,
        val onAnswer: (TurnAnswer) -> Unit,
    ) : Step {
        override fun toString() =
            "turn ${turn.run {
                "$session $number at $micros, inbox '$inbox' after '$formerInbox', capacity $capacity, horizon $horizon, " +
                    "goodbye $goodbye"
            }}: " +
                turn.topics.map {
                    "${it.topic} ${it.limit}/${it.room} ${it.settlements.map { s -> "${s::class.simpleName} ${s.id} ${s.token}" }}"
                }
    }
}

/** Requests as clients and workers might send them, and as they must not: repeated, late, with gaps, of claims that are long gone. */
internal class RandomRequests(
    seed: Long,
) {
    private val random = Random(seed)
    private var micros = 1_700_000_000_000_000 + random.nextLong(1_000_000)
    private val numbers = HashMap<String, Long>()
    private val lives = IntArray(4)
    private val claims = ArrayList<Triple<String, String, Long>>()
    private val sent = ArrayList<Step>()
    private val bound = listOf(101L, 2000L).random(random)

    fun take(count: Int): Sequence<Step> = generateSequence { next().also(sent::add) }.take(count)

    private fun next(): Step {
        micros += listOf(0L, 300L, 1_000L, 40_000L, 500_000L, 3_000_000L).random(random)
        return when {
            sent.isNotEmpty() && random.nextInt(8) == 0 -> again(if (random.nextBoolean()) sent.last() else sent.random(random))
            random.nextBoolean() -> writing()
            else -> turning()
        }
    }

    private fun again(step: Step): Step =
        when (step) {
            is Step.Writing -> Step.Writing(micros, step.write)
            is Step.Turning -> Step.Turning(micros, step.turn, step.onAnswer)
        }

    private fun number(session: String): Long {
        val number = (numbers[session] ?: 0) + if (random.nextInt(20) == 0) random.nextLong(2, 4) else 1
        numbers[session] = maxOf(number, numbers[session] ?: 0)
        return number
    }

    private fun topics() = TOPICS.shuffled(random).take(random.nextInt(1, TOPICS.size + 1))

    private fun due() =
        if (random.nextBoolean()) {
            Due.after(listOf(0L, 1L, 30L, 700L, 5_000L, 100_000L).random(random))
        } else {
            Due.at(micros / 1000 + random.nextLong(-2_000, 4_000))
        }

    private fun record() = "p${random.nextInt(3)}".toByteArray()

    private fun head() = listOf("rate 60000 FIRE_ONCE", "times 9 delay 5\t${random.nextInt(3)}").random(random)

    /** Of a recurring timer, with or without metadata. */
    private fun recurring() = listOf("r${head()}\nq${random.nextInt(2)}", "R${head()}\nk\tv\nq").random(random).toByteArray()

    private fun writing(): Step {
        val session = "writer-${random.nextInt(2)}"
        val topics =
            topics().map { topic ->
                val ids = IDS.shuffled(random).take(random.nextInt(1, 6))
                val (sets, changes) = ids.partition { random.nextInt(3) > 0 }
                val whole = if (random.nextInt(10) ==
                    0
                ) {
                    listOf(if (random.nextInt(3) == 0) Change.PauseTopic else Change.ResumeTopic)
                } else {
                    emptyList()
                }
                TopicWrite(topic, sets.map { SetTimer(it, due(), record()) }, changes.map(::change) + whole)
            }
        return Step.Writing(micros, Write(session, number(session), bound, topics))
    }

    private fun change(id: String): Change =
        when (random.nextInt(9)) {
            0, 6, 7 -> Change.Keep(id, due(), recurring())
            8 -> Change.RunNow(id)
            1 -> Change.Cancel(id)
            2 -> Change.Pause(id)
            3 -> Change.Resume(id, due())
            4 -> Change.Requeue(id, due())
            else -> Change.Discard(id)
        }

    private fun turning(): Step {
        val worker = random.nextInt(4)
        val session = "worker-$worker.${lives[worker]}"
        val goodbye = random.nextInt(15) == 0
        val capacity = if (random.nextInt(6) == 0) 0 else random.nextInt(1, 6)
        val topics = topics()
        val turn =
            Turn(
                session,
                number(session),
                inbox = if (random.nextInt(10) == 0) "" else "inbox $worker",
                formerInbox = if (random.nextInt(10) == 0) "former" else "",
                leaseMillis = 2_000,
                boundMillis = bound,
                heartbeatMillis = 30_000,
                horizon = if (random.nextInt(10) == 0) micros / 1000 - random.nextLong(0, 1_000) else 0,
                capacity = capacity,
                goodbye = goodbye,
                present = random.nextBoolean(),
                mostDead = if (random.nextInt(3) == 0) 2 else 0,
                deadMillis = if (random.nextInt(3) == 0) 5_000 else 0,
                topics =
                topics.map { topic ->
                    val room = random.nextInt(0, capacity + 1)
                    val mine = claims.filter { it.first == topic }.shuffled(random).take(random.nextInt(4)).distinctBy { it.second }
                    TopicTurn(topic, random.nextInt(0, room + 1), room, mine.map { settlement(it.second, it.third) })
                },
            )
        if (goodbye) lives[worker]++
        return Step.Turning(micros, turn) { answer ->
            if (answer is TurnAnswer.Done) answer.claims.forEach { claims.add(Triple(topics[it.topic], it.id, answer.token)) }
        }
    }

    private fun settlement(
        id: String,
        token: Long,
    ): Settlement =
        when (random.nextInt(7)) {
            0 -> Settlement.Retry(id, token, due())
            1 -> Settlement.HandBack(id, token)
            2 -> Settlement.Repeat(id, token, due(), if (random.nextBoolean()) head() else null)
            3 -> Settlement.Shelve(id, token, if (random.nextBoolean()) Shelf.DEAD else Shelf.PARKED, "a reason of 3 words")
            4 -> Settlement.Renew(id, token)
            else -> Settlement.Acknowledge(id, token)
        }

    companion object {
        val TOPICS = listOf("alpha", "beta", "gamma")
        private val IDS = List(9) { "t$it" }
    }
}

internal fun WriteAnswer.text(): String = if (this is WriteAnswer.Done) "done $results $refused" else "$this"

internal fun TurnAnswer.text(): String =
    if (this is TurnAnswer.Done) {
        "done at $micros, wake $wakeMillis, token $token, claims ${claims.map {
            "${it.topic} ${it.id} ${it.due} ${it.attempt} ${String(it.record)}"
        }}, " +
            "misses ${misses.map { "${it.index} ${it.taken}" }}, left $left, dropped $dropped"
    } else {
        "$this"
    }
