package io.signalbox.ledger

import io.signalbox.internal.coordination.Cohort
import io.signalbox.internal.ledger.AcquireRun
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Expectation
import io.signalbox.internal.ledger.ListedGrant
import io.signalbox.internal.ledger.ListedHold
import io.signalbox.internal.ledger.ListedRelease
import io.signalbox.internal.ledger.News
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.QueueRun
import io.signalbox.internal.ledger.Roster
import io.signalbox.internal.ledger.SessionRecord
import io.signalbox.internal.ledger.Words
import io.signalbox.internal.memory.Announced
import io.signalbox.internal.memory.SemaphoreState
import io.signalbox.internal.memory.Summoned
import io.signalbox.internal.memory.execute
import io.signalbox.internal.memory.open
import kotlin.random.Random

/** One call of a sequence with what the model makes of it. */
internal sealed interface Step {
    val micros: Long

    class Open(
        override val micros: Long,
        val opening: Opening,
        val bound: Int,
        val expected: Opened,
    ) : Step

    class Exchanged(
        override val micros: Long,
        val exchange: Exchange,
        val bound: Int,
        val expected: Answer,
        val announced: List<Announced>,
        val summoned: List<Summoned>,
    ) : Step

    /** The server lost the semaphore. */
    class Wiped(
        override val micros: Long,
    ) : Step
}

/**
 * A random life of one semaphore: three clients that open, exchange, repeat, come late, skip numbers, fall silent and reopen,
 * on a clock that jumps to every deadline, steps back, or stands still, and a store that now and then loses everything.
 *
 * Deterministic for a seed. The steps are drawn from what the model answers, so they stay meaningful: words that are mostly true,
 * releases of what is listed and leaves of what is queued, sometimes of what never was. A word of what was passed stays below the
 * ledger's own count now and then, two exchanges may be composed before the first is executed, and expectations are sometimes wrong.
 */
internal class RandomSequence(
    seed: Long,
    private val length: Int,
) {
    private val random = Random(seed)

    /** Little more than acquires and releases, of clients that live long, mostly with room for all: what the short way is made for. */
    private val gentle = random.nextInt(3) == 0
    private val event = random.nextInt(5) == 0
    private val declared = if (event) 0 else (if (gentle) listOf(1, 7, 100, 100) else listOf(0, 1, 2, 7)).random(random)
    private val bounded = !event && random.nextInt(4) > 0
    private val bound = if (random.nextInt(3) == 0) 2 else 100
    private val lease = listOf(100L, 1000L, 1600L).random(random)

    /** Sequences without anything listed are calm more often. */
    private val plainOnly = random.nextInt(2) == 0

    /** Of jobs that end too soon: many limits, few tries, and what is given back is kept. */
    private val jobs = !plainOnly && !event && random.nextInt(2) == 0

    private var micros = 1_700_000_000_000_000L + random.nextLong(1_000_000_000L)
    private var sessions = 0
    private var epochs = 0

    var state: SemaphoreState? = null
        private set

    private val clients = List(3) { Client(it) }
    private val all = ArrayList<Exchange>()

    private class Client(
        val index: Int,
    ) {
        var session = ""
        var epoch = ""
        var number = 0L
        var sequence = 0L
        var record = SessionRecord()
        var calm = false
        var permits = 0
        var inbox = ""

        /** The last that is known to have arrived. */
        var heardInbox = ""
        var floor = 0L

        /** What was said, and what is true of it: the difference is not said yet. */
        var passed = 0L
        var dropped = 0L
        var returned = 0L
        var consumed = 0L
        val recent = ArrayDeque<Exchange>()
        val listed = LinkedHashMap<Long, ListedHold>()
        var opening: Opening? = null

        /** Places in the queue by sequence number. */
        val queued = LinkedHashMap<Long, Place>()

        /** The moments of the last two answers, by the parity of their numbers. */
        val heard = longArrayOf(-1, -1)

        val words get() = Words(returned, passed, dropped, consumed)
    }

    private class Place(
        val ticket: Long,
        val weight: Int,
        val holdMillis: Long,
    )

    fun run(): List<Step> {
        val steps = ArrayList<Step>(length)
        clients.forEach { steps += open(it) }
        while (steps.size < length) {
            passTime()
            val client = clients.random(random)
            when (if (gentle && random.nextInt(20) > 0) random.nextInt(68) else random.nextInt(100)) {
                in 0..51 -> steps += exchange(next(client))
                in 52..59 -> steps += two(client)
                in 60..72 -> client.recent.randomOrNull(random)?.let { steps += exchange(it) }
                in 73..79 -> all.randomOrNull(random)?.let { steps += exchange(it) }
                in 80..82 -> steps += exchange(next(client, skip = 1L + random.nextInt(2)))
                in 83..93 -> steps += open(client)
                94, 95 -> steps += exchange(untrue(client))
                96 -> steps += exchange(next(client, epoch = "another"))
                97 -> steps += wipe()
                else -> steps += attach(client)
            }
        }
        return steps
    }

    private fun passTime() {
        val now = micros / 1000
        val deadlines = state?.let { state -> state.sessions.values.map { it.deadline } + state.limits.map { it.deadline } }.orEmpty()
        when (if (gentle && random.nextInt(10) > 0) random.nextInt(9) else random.nextInt(20)) {
            in 0..7 -> micros += random.nextLong(3)
            in 8..10 -> micros += random.nextLong(lease * 1000 / 8)
            11, 12 -> micros += lease * 1000 / 16 + random.nextLong(-1, 2) * 1000
            13, 14 -> deadlines.randomOrNull(random)?.let { micros = maxOf(micros, (it + random.nextLong(-1, 2)) * 1000) }
            15, 16 -> micros += lease * 1000 / 3
            17 -> if (random.nextInt(4) == 0) micros += lease * 1000 + random.nextLong(lease * 1000)
            18 -> if (random.nextInt(8) == 0) micros -= random.nextLong(2 * lease * 1000)
            else -> micros = maxOf(micros, now * 1000)
        }
    }

    private fun wipe(): Step {
        state = null
        return Step.Wiped(micros)
    }

    /** Begins a session, or repeats the request that began the last one. */
    private fun open(client: Client): Step =
        open(client, client.opening?.takeIf { random.nextInt(4) == 0 } ?: opening(client))

    private fun opening(client: Client): Opening {
        val width = client.record.width.coerceIn(0, 10).toInt()
        return Opening(
            session = session(client),
            previous = if (random.nextInt(5) > 0) client.session else "",
            label = "label ${client.index}",
            inbox = "inbox ${client.index}",
            leaseMillis = if (random.nextInt(6) == 0) lease * 2 else lease,
            retentionMillis = 3_600_000,
            declared = if (random.nextInt(12) == 0) declared + 1 else declared,
            bounded = bounded,
            longestMillis = if (random.nextInt(8) == 0) lease * (1 + random.nextInt(2)) else 0,
            newEpoch = "epoch${++epochs}",
            running = if (random.nextInt(3) == 0) width + random.nextInt(2) else 0,
            floor = if (random.nextInt(3) == 0) client.floor else 0,
            listed = if (random.nextInt(3) == 0) client.listed.values.filter { random.nextInt(4) > 0 } else emptyList(),
            policy = Opening.Policy.entries.random(random),
            hearsOrders = random.nextInt(4) > 0,
        )
    }

    private fun attach(client: Client): Step =
        open(
            client,
            Opening(session(client), "", "", "inbox", lease, 3_600_000, -1, true, 0, "unused", 0, 0, emptyList()),
        )

    private fun session(client: Client): String = "client${client.index}.${++sessions}"

    private fun open(
        client: Client,
        opening: Opening,
    ): Step {
        val (kept, opened) = open(state, opening, micros)
        state = kept
        if (opened is Opened.Joined && client.session != opening.session) {
            client.session = opening.session
            client.opening = opening
            client.epoch = opened.epoch
            client.number = 0
            client.sequence = 0
            client.recent.clear()
            client.queued.clear()
            client.listed.keys.retainAll(opened.listed)
            client.record = SessionRecord(given = opened.width.toLong())
            client.calm = false
            client.inbox = opening.inbox
            client.heardInbox = opening.inbox
            client.heard.fill(-1)
            client.passed = 0
            client.dropped = 0
            client.returned = 0
            client.consumed = 0
        }
        return Step.Open(micros, opening, bound, opened)
    }

    /** The second composed before the first is executed. */
    private fun two(client: Client): List<Step> {
        val first = next(client, simple = true)
        val before = first.expected?.after
        client.number++
        client.sequence += first.acquires.sumOf { it.count }
        val second = next(client, simple = true, before = before ?: SessionRecord(deadline = -1))
        client.number--
        client.sequence -= first.acquires.sumOf { it.count }
        return if (random.nextInt(4) > 0) {
            listOf(exchange(first), exchange(second))
        } else {
            listOf(exchange(second), exchange(first), exchange(second))
        }
    }

    /** Words that cannot be true. */
    private fun untrue(client: Client): Exchange {
        val record = client.record
        val words =
            when (random.nextInt(5)) {
                0 -> client.words.copy(returned = record.given + 1)
                1 -> client.words.copy(passed = record.admitted + 5)
                2 -> client.words.copy(consumed = client.returned + 1)
                3 -> client.words.copy(dropped = client.passed + 1)
                else -> client.words.copy(returned = record.returned - 1)
            }
        return Exchange(client.session, client.number + 1, client.epoch, client.inbox, words)
    }

    private fun next(
        client: Client,
        skip: Long = 0,
        epoch: String = client.epoch,
        simple: Boolean = random.nextInt(if (gentle) 10 else 3) < if (gentle) 9 else 1,
        before: SessionRecord = client.record,
    ): Exchange {
        speak(client)
        val goodbye = !simple && random.nextInt(40) == 0
        val released = if (simple) emptyList() else client.listed.values.filter { random.nextInt(if (jobs) 2 else 3) == 0 }
        val runs = List(if (goodbye || random.nextInt(3) == 0) 0 else random.nextInt(1, 4)) { acquireRun(simple) }
        val leaves = if (simple) {
            emptyList()
        } else {
            leaves(client) +
                bogus { QueueRun(random.nextLong(20), random.nextLong(20), random.nextInt(1, 4)) }
        }
        val commands = if (simple) emptyList() else bogus { command(client) }
        val inbox = if (random.nextInt(10) == 0) "${client.inbox}'" else client.inbox
        val mayExpect = simple && skip == 0L && inbox == client.heardInbox && client.calm
        val exchange =
            Exchange(
                session = client.session,
                number = client.number + 1 + skip,
                epoch = if (goodbye && random.nextInt(4) == 0) "" else epoch,
                inbox = inbox,
                words = client.words,
                firstSequence = client.sequence,
                acquires = runs,
                releases =
                released.map { ListedRelease(ListedGrant(it.token, it.weight), keptUntil()) } +
                    if (simple) emptyList() else bogus { ListedRelease(ListedGrant(1_500_000_000_000_000, 2), keptUntil()) },
                leaves = leaves,
                commands = commands,
                heard = if (random.nextInt(50) ==
                    0
                ) {
                    micros / 1000 - random.nextInt(2)
                } else {
                    client.heard[((client.number + 1 + skip) % 2).toInt()]
                },
                roster = if (random.nextInt(6) == 0) Roster(0, listOf(Roster.Running(123, 2, 5))) else null,
                expected = if (mayExpect) expectation(client, before, runs.sumOf { it.count }) else null,
                goodbye = goodbye,
            )
        client.inbox = inbox
        return exchange
    }

    private fun expectation(
        client: Client,
        before: SessionRecord,
        acquires: Int,
    ): Expectation? {
        val lease = client.opening!!.leaseMillis
        val after = Cohort.after(before, client.words, acquires) ?: return null
        return Expectation(before, after, client.permits, acquires, before.deadline - lease + (lease + 15) / 16)
    }

    /** Mostly there is no minimum, or it is over already. */
    private fun keptUntil(): Long = if (!jobs && random.nextInt(3) > 0) 0 else micros / 1000 + random.nextLong(-2, 2 * lease)

    /** Some of what is true by now is going to be said. */
    private fun speak(client: Client) {
        val record = client.record
        val maySay = record.passed + if (random.nextInt(3) == 0) record.admitted - record.passed else 0
        if (maySay > client.passed) client.passed += random.nextLong(maySay - client.passed + 1)
        if (client.dropped < client.passed && random.nextInt(4) == 0) client.dropped++
        val width = record.given - client.returned
        if (width > 0 && (gentle || random.nextInt(3) > 0)) {
            val back = random.nextLong(width + 1)
            client.returned += back
            if (event && back > 0 && random.nextBoolean()) client.consumed += random.nextLong(back + 1)
        }
    }

    /** Some that are queued, those next to each other together. */
    private fun leaves(client: Client): List<QueueRun> {
        val chosen = client.queued.filter { random.nextInt(5) < if (random.nextBoolean()) 1 else 3 }.toSortedMap()
        val runs = ArrayList<QueueRun>()
        for ((sequence, place) in chosen) {
            val last = runs.lastOrNull()
            if (last != null && last.sequence + last.count == sequence && last.ticket + last.count == place.ticket) {
                runs[runs.lastIndex] = last.copy(count = last.count + 1)
            } else {
                runs += QueueRun(sequence, place.ticket, 1)
            }
        }
        return runs
    }

    private fun acquireRun(simple: Boolean): AcquireRun {
        val plain = simple || plainOnly
        val weight = if (!plain && random.nextInt(3) == 0) random.nextInt(1, 4) else 1
        val hold = if (!plain && random.nextInt(if (jobs) 2 else 4) == 0) random.nextLong(1, 2 * lease) else -1
        return AcquireRun(random.nextInt(1, 4), weight, hold, waits = random.nextInt(4) > 0)
    }

    private fun <T> bogus(make: () -> T): List<T> = if (random.nextInt(if (event) 3 else 8) == 0) listOf(make()) else emptyList()

    private fun command(client: Client): Command {
        val limited = client.listed.values.filter { it.holdMillis >= 0 }.randomOrNull(random)
        return when (if (event) random.nextInt(1, 7) else random.nextInt(3) + if (random.nextInt(3) == 0) 7 else 0) {
            0 -> Command.Resize(listOf(0, 1, 2, 3, 8).random(random))
            1 -> Command.AddPermits(if (random.nextInt(3) == 0) 1_000_000_000 else 1)
            in 3..5 -> Command.Signal(random.nextInt(1, 6), if (random.nextInt(2) == 0) -1 else random.nextLong(1, 2 * lease))
            6 -> Command.Clear
            7 -> Command.Redeclare(listOf(0, 1, 2, 3, 8).random(random))
            8, 9 -> order()
            else -> Command.Extend(
                ListedGrant(limited?.token ?: 1_234_567_890_123_456, limited?.weight ?: 1),
                random.nextLong(1, 2 * lease),
            )
        }
    }

    /** For what somebody holds, by count or listed, for what is kept, or for what nobody has. */
    private fun order(): Command {
        val kept = state?.kept?.values?.randomOrNull(random)
        if (kept != null && random.nextBoolean()) {
            val weight = kept.weight + if (random.nextInt(4) == 0) 1 else 0
            return if (random.nextInt(4) > 0) {
                Command.Revoke(kept.owner, kept.grant.token, weight, "operator")
            } else {
                Command.Enforce(kept.owner, kept.grant.token, weight)
            }
        }
        val holder = clients.random(random)
        val listed = holder.listed.values.randomOrNull(random)?.takeIf { random.nextBoolean() }
        val token = listed?.token ?: 1_234_567_890_123_456
        val weight = listed?.weight ?: 0
        return if (random.nextInt(3) > 0) {
            Command.Revoke(holder.session, token, weight, "operator ${random.nextInt(3)}")
        } else {
            Command.Enforce(holder.session, token, weight)
        }
    }

    private fun exchange(exchange: Exchange): Step {
        val executed = state?.execute(exchange, micros, bound)
        val answer = executed?.answer ?: Answer.Lost(Answer.Reason.DATA_LOST)
        val sender = clients.firstOrNull { it.session == exchange.session && it.number + 1 == exchange.number }
        if (sender != null && answer is Answer.Done) learn(sender, exchange, answer)
        return Step.Exchanged(micros, exchange, bound, answer, executed?.announced.orEmpty(), executed?.summoned.orEmpty())
    }

    private fun learn(
        client: Client,
        exchange: Exchange,
        done: Answer.Done,
    ) {
        client.number = exchange.number
        client.heard[(exchange.number % 2).toInt()] = done.now
        client.recent.addLast(exchange)
        if (client.recent.size > 3) client.recent.removeFirst()
        all += exchange
        client.record = done.record
        client.calm = done.calm
        client.heardInbox = exchange.inbox
        client.permits = done.permits
        exchange.releases.forEach { client.listed.remove(it.grant.token) }
        exchange.leaves.forEachIndexed { index, run ->
            for (nth in run.count - done.left[index] until run.count) client.queued.remove(run.sequence + nth)
        }
        for (fact in done.unread) {
            when (fact) {
                is News.Admitted -> repeat(fact.count) { client.queued.remove(fact.sequence + it) }

                is News.Refused -> repeat(fact.count) { client.queued.remove(fact.sequence + it) }

                is News.Revoked -> Unit

                is News.Granted ->
                    repeat(fact.count) {
                        val place = client.queued.remove(fact.sequence + it)
                        if (place != null) client.listed[fact.token + it] = ListedHold(fact.token + it, place.weight, place.holdMillis)
                    }
            }
        }
        var token = done.firstToken
        var ticket = done.firstTicket
        exchange.acquires.forEachIndexed { index, run ->
            repeat(run.count) { inRun ->
                val sequence = client.sequence++
                if (inRun < done.granted[index]) {
                    if (!run.isPlain) client.listed[token] = ListedHold(token, run.weight, run.holdMillis)
                    client.floor = token++
                } else if (run.waits && done.granted[index] >= 0) {
                    client.queued[sequence] = Place(ticket++, run.weight, run.holdMillis)
                }
            }
        }
    }
}
