package io.signalbox.ledger.turns

import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import kotlin.random.Random
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestCoroutineScheduler

/**
 * One schedule: real clients over an in-memory ledger behind lossy lines, in virtual time, with pauses, crashes, goodbyes, resizes, losses
 * of data and roll-backs; then all of that ends, and everything has to come to rest. Follows from [seed].
 *
 * Each schedule has some kinds of trouble and not others: faults that hide each other are then met alone.
 */
@OptIn(ExperimentalCoroutinesApi::class)
internal class Simulation(
    seed: Long,
    private val bug: LineBug? = null,
) {
    private val random = Random(seed)
    private val scheduler = TestCoroutineScheduler()
    private val time = StandardTestDispatcher(scheduler)

    /** The first thing that went wrong in a coroutine. */
    private var failure: Throwable? = null
    val failures = CoroutineExceptionHandler { _, problem -> failed(problem) }
    private val network = CoroutineScope(time + SupervisorJob() + failures)
    private val weather = Weather(random, LEASE_MILLIS)
    private val permits = listOf(1, 1, 2, 2, 3).random(random)
    private val handle = HandleSettings(
        permits,
        bounded = true,
        longestMillis = if (random.nextInt(5) ==
            0
        ) {
            LEASE_MILLIS
        } else {
            0
        },
        holdMillis = -1,
    )
    private val store = SimulatedStore({ ORIGIN_MICROS + scheduler.currentTime * 1000 }, bound = if (random.nextInt(6) == 0) 2 else 500)
    val truth = Truth(store, permits)
    val clients = ArrayList<SimulatedClient>()
    private var clientsMade = 0

    val nanos: Long get() = scheduler.currentTime * 1_000_000 + 1

    private enum class Act { ACQUIRE, TRY, HEAVY, CANCEL, RELEASE, RESIZE, PAUSE, CRASH, LEAVE, LOSE_DATA, ROLL_BACK }

    private val acts: List<Act> = buildList {
        fun often(
            act: Act,
            chance: Int,
            vararg weights: Int,
        ) = repeat(if (random.nextInt(100) < chance) weights.random(random) else 0) { add(act) }
        often(Act.ACQUIRE, 100, 40, 80, 160)
        often(Act.RELEASE, 100, 40, 80)
        often(Act.CANCEL, 70, 10, 40)
        often(Act.TRY, 50, 10, 30)
        often(Act.HEAVY, 40, 5, 20)
        often(Act.RESIZE, 35, 6)
        often(Act.PAUSE, 30, 3)
        often(Act.CRASH, 20, 2)
        often(Act.LEAVE, 35, 4)
        often(Act.LOSE_DATA, 25, 2)
        often(Act.ROLL_BACK, 20, 2)
    }

    /** Plays it; throws the [Violation] that it finds. */
    fun run(): Truth {
        try {
            repeat(2 + random.nextInt(2)) { begin() }
            pass(30)
            repeat(listOf(100, 200, 300).random(random)) {
                if (random.nextInt(10) < 6) act(acts.random(random))
                pass(if (random.nextInt(12) == 0) random.nextLong(LEASE_MILLIS / 4) else random.nextLong(8))
            }
            settle()
            return truth
        } finally {
            clients.forEach { it.crash() }
            network.cancel()
            scheduler.advanceUntilIdle()
        }
    }

    private fun begin(): SimulatedClient =
        SimulatedClient(this, ++clientsMade, time, network, weather, random, handle, bug).also { clients += it }

    private fun failed(problem: Throwable) {
        if (failure == null) failure = problem
    }

    private fun look() {
        failure?.let { throw it }
        truth.look(this)
    }

    /** Time passes, step by step, and is looked at after each. */
    private fun pass(millis: Long) {
        scheduler.runCurrent()
        look()
        var left = millis
        while (left > 0) {
            val step = minOf(left, 1 + left / 20)
            scheduler.advanceTimeBy(step)
            scheduler.runCurrent()
            look()
            left -= step
        }
    }

    private fun act(act: Act) {
        if (act == Act.LOSE_DATA) {
            val behind = if (random.nextInt(3) == 0) 1000 * random.nextLong(1, 3000) else 0
            truth.forget(this, behind > 0)
            return store.lose(behind)
        }
        if (act == Act.ROLL_BACK) return truth.rolledBack(this) { store.rollBack(random) }
        val client = clients.random(random)
        if (client.isPaused || !client.hasJoined) return
        when (act) {
            Act.ACQUIRE -> if (client.waiting.size < 10) repeat(listOf(1, 1, 1, 2, 5).random(random)) { client.acquire() }
            Act.TRY -> client.acquire(waits = false)
            Act.HEAVY ->
                if (client.waiting.size <
                    10
                ) {
                    client.acquire(weight = listOf(2, 2, 3).random(random), waits = random.nextInt(3) > 0)
                }
            Act.CANCEL -> repeat(listOf(1, 1, 3).random(random)) { client.cancel(random) }
            Act.RELEASE -> client.release(random)
            Act.RESIZE -> client.resize(random.nextInt(1, 5))
            Act.PAUSE -> pause(client, listOf(100L, 600L, LEASE_MILLIS, 2 * LEASE_MILLIS).random(random))
            Act.CRASH -> replace(client) { client.crash() }
            Act.LEAVE -> replace(client) { client.leave() }
            Act.LOSE_DATA, Act.ROLL_BACK -> Unit
        }
    }

    private fun pause(
        client: SimulatedClient,
        millis: Long,
    ) {
        client.pause(true)
        network.launch {
            delay(millis)
            client.pause(false)
        }
    }

    private fun replace(
        client: SimulatedClient,
        end: () -> Unit,
    ) {
        clients -= client
        end()
        begin()
    }

    // ---- coming to rest ----------------------------------------------------------------------------------------------------

    private fun settle() {
        weather.isFine = true
        clients.forEach { it.pause(false) }
        // What is late arrives, what is dead lapses, a quarantine ends.
        pass(70 * LEASE_MILLIS)
        truth.lookAtRest(this)
        if (random.nextBoolean()) {
            clients.forEach { client -> repeat(random.nextInt(4)) { client.cancel(random) } }
            pass(LEASE_MILLIS)
            truth.lookAtRest(this)
        }
        clients.first().resize(3)
        var silentSince = scheduler.currentTime
        while (clients.any { it.waiting.isNotEmpty() || it.held.isNotEmpty() }) {
            val before = truth.starts
            clients.filter { it.held.isNotEmpty() }.randomOrNull(random)?.release(random)
            pass(listOf(1L, 5L, 20L).random(random))
            if (truth.starts != before || clients.any { it.held.isNotEmpty() }) silentSince = scheduler.currentTime
            if (scheduler.currentTime - silentSince > 4 * LEASE_MILLIS) throw Violation("C4: stuck\n${describe()}")
        }
        pass(3 * LEASE_MILLIS)
        truth.lookAtEnd(this)
    }

    fun describe(): String =
        buildString {
            clients.forEach { appendLine(it) }
            store.state?.let { state ->
                appendLine(
                    "ledger: ${state.plain} + ${state.listed} of ${state.permits}, turn ${state.turn?.id?.substringAfter(
                        '.',
                    )}, queue ${state.queue.values.map {
                        "${it.session.takeLast(4)}/${it.sequence}x${it.count}"
                    }}",
                )
                state.sessions.values.forEach { appendLine("  ${it.label} ${it.id.substringAfter('.')}: ${it.record}") }
            }
        }

    // ---- what passes by ----------------------------------------------------------------------------------------------------

    fun opened(opening: Opening): Opened {
        val opened = store.open(opening)
        truth.opened(opening, opened)
        return opened
    }

    fun exchanged(exchange: Exchange): Answer {
        val before = store.state?.sessions?.get(exchange.session)?.record
        val executed = store.exchange(exchange)
        truth.exchanged(this, exchange, before, executed)
        for (announced in executed.announced) {
            clients.forEach { it.line.announce(announced.session, announced.announcement) }
        }
        return executed.answer
    }

    fun started(
        client: SimulatedClient,
        token: Long,
    ) {
        // Not thrown into the client, which would carry on without noticing.
        try {
            truth.started(client, token)
        } catch (violation: Violation) {
            failed(violation)
        }
    }

    companion object {
        const val LEASE_MILLIS = 1600L

        /** Tokens have 16 digits from the first on. */
        private const val ORIGIN_MICROS = 1_000_000_000_000_000
    }
}
