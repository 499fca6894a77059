package io.signalbox.ledger

import io.signalbox.internal.ledger.AcquireRun
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.HeavyGrant
import io.signalbox.internal.ledger.HeldGrant
import io.signalbox.internal.ledger.HeldRuns
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.QueueRun
import io.signalbox.internal.ledger.Releases
import io.signalbox.internal.memory.Announced
import io.signalbox.internal.memory.SemaphoreState
import io.signalbox.internal.memory.execute
import io.signalbox.internal.memory.open
import kotlin.random.Random

/** One call of a sequence with what the model makes of it. */
internal sealed interface Step {
    val micros: Long

    class Open(
        override val micros: Long,
        val opening: Opening,
        val expected: Opened,
    ) : Step

    class Exchanged(
        override val micros: Long,
        val exchange: Exchange,
        val bound: Int,
        val expected: Answer,
        val announced: List<Announced>,
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
 * Deterministic for a seed. The steps are drawn from what the model answers, so they stay meaningful: mostly releases of what is
 * held and leaves of what is queued, sometimes of what never was.
 */
internal class RandomSequence(
    seed: Long,
    private val length: Int,
) {
    private val random = Random(seed)
    private val event = random.nextInt(5) == 0
    private val declared = if (event) 0 else listOf(0, 1, 2, 7).random(random)
    private val bounded = !event && random.nextInt(4) > 0
    private val bound = if (random.nextInt(3) == 0) 2 else 100
    private val lease = listOf(100L, 1000L, 1600L).random(random)
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
        val recent = ArrayDeque<Exchange>()
        val held = LinkedHashMap<Long, HeldGrant>()
        var opening: Opening? = null
        var runs = HeldRuns()

        /** Places in the queue by sequence number. */
        val queued = LinkedHashMap<Long, Place>()
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
            when (random.nextInt(100)) {
                in 0..59 -> steps += exchange(next(client))
                in 60..72 -> client.recent.randomOrNull(random)?.let { steps += exchange(it) }
                in 73..79 -> all.randomOrNull(random)?.let { steps += exchange(it) }
                in 80..82 -> steps += exchange(next(client, skip = 1L + random.nextInt(2)))
                in 83..96 -> steps += open(client)
                97 -> steps += wipe()
                else -> steps += attach(client)
            }
        }
        return steps
    }

    private fun passTime() {
        val now = micros / 1000
        val deadlines = state?.let { state -> state.sessions.values.map { it.deadline } + state.limits.map { it.deadline } }.orEmpty()
        when (random.nextInt(20)) {
            in 0..7 -> micros += random.nextLong(3)
            in 8..10 -> micros += random.nextLong(lease * 1000 / 8)
            11, 12 -> micros += lease * 1000 / 16 + random.nextLong(-1, 2) * 1000
            13, 14, 15 -> deadlines.randomOrNull(random)?.let { micros = maxOf(micros, (it + random.nextLong(-1, 2)) * 1000) }
            16 -> micros += lease * 1000 / 2
            17 -> if (random.nextInt(4) == 0) micros += lease * 1000 + random.nextLong(lease * 1000)
            18 -> if (random.nextInt(3) == 0) micros -= random.nextLong(2 * lease * 1000)
            else -> micros = maxOf(micros, now * 1000)
        }
    }

    private fun wipe(): Step {
        state = null
        return Step.Wiped(micros)
    }

    /** Begins a session, or repeats the request that began the last one. */
    private fun open(client: Client): Step =
        open(client, client.opening?.takeIf { random.nextInt(6) == 0 } ?: opening(client))

    private fun opening(client: Client) =
        Opening(
            session = session(client),
            previous = if (random.nextInt(5) > 0) client.session else "",
            label = "label ${client.index}",
            inbox = "inbox ${client.index}",
            leaseMillis = if (random.nextInt(6) == 0) lease * 2 else lease,
            retentionMillis = 3_600_000,
            declared = if (random.nextInt(12) == 0) declared + 1 else declared,
            bounded = bounded,
            quarantine = random.nextInt(8) == 0,
            newEpoch = "epoch${++epochs}",
            knownEpoch = client.epoch,
            knownNumber = client.number - random.nextInt(2),
            reasserted = client.held.values.filter { random.nextInt(4) > 0 },
        )

    private fun attach(client: Client): Step =
        open(
            client,
            Opening(session(client), "", "", "inbox", lease, 3_600_000, -1, true, false, "unused", client.epoch, 0, emptyList()),
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
            client.held.keys.retainAll(opened.reasserted)
            client.runs = HeldRuns()
            client.held.values.filter { it.isPlain }.forEach { client.runs.add(it.token, 1) }
        }
        return Step.Open(micros, opening, opened)
    }

    private fun next(
        client: Client,
        skip: Long = 0,
    ): Exchange {
        val heavy = client.held.values.filter { !it.isPlain && random.nextInt(3) == 0 }
        val goodbye = random.nextInt(60) == 0
        val plain = client.held.values.filter { it.isPlain && random.nextInt(3) == 0 }.map { it.token }
        val runs = List(if (goodbye || random.nextInt(3) == 0) 0 else random.nextInt(1, 4)) { acquireRun() }
        val exchange =
            Exchange(
                session = client.session,
                number = client.number + 1 + skip,
                inbox = "inbox ${client.index}${if (random.nextInt(10) == 0) "'" else ""}",
                goodbye = goodbye,
                firstSequence = client.sequence,
                acquires = runs,
                releases = if (goodbye) {
                    Releases.NONE
                } else {
                    releases(
                        client,
                        plain + bogus {
                            random.nextLong(1e15.toLong(), 2e15.toLong())
                        },
                    )
                },
                heavyReleases = heavy.map { HeavyGrant(it.token, it.weight) } + bogus { HeavyGrant(1_500_000_000_000_000, 2) },
                leaves = leaves(client) + bogus { QueueRun(random.nextLong(20), random.nextLong(20), random.nextInt(1, 4)) },
                commands = bogus { command(client) },
            )
        return exchange
    }

    /** Only an exchange that is executed changes the runs for good. */
    private fun releases(
        client: Client,
        tokens: List<Long>,
    ): Releases = client.runs.release(tokens.sorted().toLongArray()).also(client.runs::restore)

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

    private fun acquireRun(): AcquireRun {
        val weight = if (random.nextInt(3) == 0) random.nextInt(1, 4) else 1
        val hold = if (random.nextInt(4) == 0) random.nextLong(1, 2 * lease) else -1
        return AcquireRun(random.nextInt(1, 4), weight, hold, waits = random.nextInt(4) > 0)
    }

    private fun <T> bogus(make: () -> T): List<T> = if (random.nextInt(if (event) 3 else 8) == 0) listOf(make()) else emptyList()

    private fun command(client: Client): Command {
        val limited = client.held.values.filter { it.holdMillis >= 0 }.randomOrNull(random)
        return when (if (event) random.nextInt(1, 8) else random.nextInt(3)) {
            0 -> Command.Resize(listOf(0, 1, 2, 3, 8).random(random))
            1 -> Command.AddPermits(if (random.nextInt(3) == 0) 1_000_000_000 else 1)
            in 3..5 -> Command.Signal(random.nextInt(1, 6), if (random.nextInt(2) == 0) -1 else random.nextLong(1, 2 * lease))
            6 -> Command.Clear
            7 -> Command.Consume(random.nextInt(1, 3))
            else -> Command.Extend(HeavyGrant(limited?.token ?: 1_234_567_890_123_456, limited?.weight ?: 1), random.nextLong(1, 2 * lease))
        }
    }

    private fun exchange(exchange: Exchange): Step {
        val executed = state?.execute(exchange, micros, bound)
        val answer = executed?.answer ?: Answer.Lost("")
        val sender = clients.firstOrNull { it.session == exchange.session && it.number + 1 == exchange.number }
        if (sender != null && answer is Answer.Done) learn(sender, exchange, answer)
        return Step.Exchanged(micros, exchange, bound, answer, executed?.announced.orEmpty())
    }

    private fun learn(
        client: Client,
        exchange: Exchange,
        done: Answer.Done,
    ) {
        client.number = exchange.number
        client.recent.addLast(exchange)
        if (client.recent.size > 3) client.recent.removeFirst()
        all += exchange
        exchange.releases.tokens().forEach(client.held::remove)
        client.runs.release(exchange.releases.tokens().toLongArray())
        exchange.heavyReleases.forEach { client.held.remove(it.token) }
        exchange.leaves.forEachIndexed { index, run ->
            // Those that had been granted are given back later, when that is read.
            for (nth in run.count - done.left[index] until run.count) client.queued.remove(run.sequence + nth)
        }
        for (grant in done.grants) {
            for (nth in 0 until grant.count) {
                val place = client.queued.remove(grant.sequence + nth) ?: continue
                if (grant.token == Answer.REFUSED) continue
                val held = HeldGrant(grant.token + nth, place.weight, place.holdMillis)
                client.held[held.token] = held
                if (nth == 0 && held.isPlain) client.runs.add(grant.token, grant.count)
            }
        }
        var token = done.firstToken
        var ticket = done.firstTicket
        exchange.acquires.forEachIndexed { index, run ->
            if (run.isPlain && done.granted[index] > 0) client.runs.add(token, done.granted[index])
            repeat(run.count) { inRun ->
                val sequence = client.sequence++
                if (inRun < done.granted[index]) {
                    client.held[token] = HeldGrant(token, run.weight, run.holdMillis)
                    token++
                } else if (run.waits && done.granted[index] >= 0) {
                    client.queued[sequence] = Place(ticket++, run.weight, run.holdMillis)
                }
            }
        }
    }
}
