package io.signalbox.chaos.run

import io.lettuce.core.RedisURI
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.SignalboxException
import io.signalbox.SignalboxSettings
import io.signalbox.chaos.bug.scriptsWith
import io.signalbox.chaos.check.Findings
import io.signalbox.chaos.check.Life
import io.signalbox.chaos.check.Testimony
import io.signalbox.chaos.check.Violation
import io.signalbox.chaos.check.check
import io.signalbox.chaos.client.Again
import io.signalbox.chaos.client.Bell
import io.signalbox.chaos.client.Once
import io.signalbox.chaos.client.Poison
import io.signalbox.chaos.client.Prize
import io.signalbox.chaos.client.Said
import io.signalbox.chaos.fault.Fault
import io.signalbox.history.auditKey
import io.signalbox.internal.Connecting
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.redis.RedisConnections
import io.signalbox.processes.FencedRegister
import io.signalbox.testkit.RedisProcess
import io.signalbox.timers.Timers
import java.io.IOException
import java.nio.file.Path
import java.time.Instant
import kotlin.io.path.readLines
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlin.time.toJavaDuration
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Semaphore
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/** What is played in an act. */
internal class Plan(
    val number: Int,
    val stage: Stage,
    val faults: List<Fault>,
    val seed: Long,
    val length: Duration,
    /** Name of the bug that the clients have. */
    val bug: String,
    /** How long what should end by itself is waited for. */
    val patience: Duration,
)

/** A client of an act. */
private class Casting(
    val member: Member,
    val label: String,
    val leaseMillis: Int,
    val journal: Path,
)

/** One act: all clients do what they can on servers of its own while faults strike; then all is mended, and what happened is checked. */
internal class Act(
    private val plan: Plan,
    private val crew: Crew,
    private val witness: RedisProcess,
    private val directory: Path,
    private val servers: Servers,
) {
    private val random = Random(plan.seed)
    private val castings = mutableListOf<Casting>()
    private val violations = mutableListOf<Violation>()
    private lateinit var arena: Arena

    private val patience get() = if (violations.isEmpty()) plan.patience else minOf(plan.patience, RESIDUE)

    class Outcome(
        val findings: Findings,
        val testimony: Testimony,
        val strikes: List<Strike>,
    )

    suspend fun play(): Outcome {
        withContext(Dispatchers.IO) { crew.muster() }
        witness.command("FLUSHALL")
        arena = Arena(plan.stage, servers.raise(plan.stage), servers.understudy(plan.stage), crew, servers.clock, ::cast)
        return arena.use {
            arena.understudy?.follow(arena.primary)
            crew.living.forEach(::cast)
            strikeAll()
            val testimony = quiesce()
            val found = check(testimony)
            Outcome(Findings(violations + found.violations, found.extras), testimony, arena.strikes.toList())
        }
    }

    @Synchronized
    private fun cast(member: Member) {
        val label = "a${plan.number}c${castings.size}"
        val casting = Casting(member, label, LEASES[castings.size % LEASES.size], directory.resolve("$label.history"))
        castings += casting
        member.isTaken = false
        member.send(
            "act ${arena.uri} ${witness.uri} ${casting.journal} $label ${casting.leaseMillis} ${plan.seed + castings.size} ${plan.bug}",
        )
    }

    // ---- faults ------------------------------------------------------------------------------------------------------------

    private suspend fun strikeAll() =
        coroutineScope {
            val start = TimeSource.Monotonic.markNow()
            val hands = Semaphore(HANDS)
            val faults = plan.faults.filter { it.fits(arena) }.flatMap { fault -> List(fault.weight) { fault } }
            while (start.elapsedNow() < plan.length) {
                delay(random.nextLong(PAUSE_MILLIS.first, PAUSE_MILLIS.last).milliseconds)
                val fault = faults.randomOrNull(random) ?: continue
                val seed = random.nextLong()
                hands.acquire()
                launch(Dispatchers.IO) {
                    try {
                        strike(fault, Random(seed))
                    } finally {
                        hands.release()
                    }
                }
            }
        }

    private suspend fun strike(
        fault: Fault,
        random: Random,
    ) {
        val begin = System.nanoTime()
        try {
            fault.strike(arena, random)
            arena.strikes += Strike(fault.kind, begin, System.nanoTime())
        } catch (missed: IOException) {
            arena.misses += Strike("${fault.kind} missed: $missed", begin, System.nanoTime())
        } catch (missed: RuntimeException) {
            if (missed is CancellationException) throw missed
            arena.misses += Strike("${fault.kind} missed: $missed", begin, System.nanoTime())
        }
    }

    // ---- the end -----------------------------------------------------------------------------------------------------------

    private suspend fun quiesce(): Testimony {
        withContext(Dispatchers.IO) { arena.mend() }
        val mended = TimeSource.Monotonic.markNow()
        castings.filter { it.member.hasFallen }.forEach {
            violations += Violation('X', it.label, "has ended by itself: ${it.member.output.takeLast(4000)}")
            it.member.kill()
        }
        val living = castings.filter { !it.member.isDead }
        withContext(Dispatchers.IO) {
            living.forEach { it.member.send("enough") }
            living.forEach { casting ->
                expect(casting, "idle") {
                    casting.member.send("doing")
                    casting.member.await("doing", minOf(patience, 30.seconds).toJavaDuration())
                }
            }
        }
        val last = connect()
        val dead = settleTimers(last)
        withContext(Dispatchers.IO) {
            val idle = living.filter { !it.member.isDead }
            idle.forEach { it.member.send("leave") }
            idle.forEach { casting -> expect(casting, "bye") { "" } }
        }
        // Whoever comes now ends the sessions of the dead: they must be over.
        delay(LONGEST_SESSION - mended.elapsedNow())
        val signals = Bell.entries.associate { it.title to last.event(it.title).clear() }
        acquireAll(last)
        last.closeAndJoin()
        withContext(Dispatchers.IO) { nothingIsLeft() }
        return withContext(Dispatchers.IO) { testimony(signals, dead) }
    }

    /** E: what was begun comes to an end, once nothing is in its way. */
    private fun expect(
        casting: Casting,
        word: String,
        explain: () -> String,
    ) {
        val patience = patience
        try {
            casting.member.await(word, patience.toJavaDuration())
        } catch (late: IllegalStateException) {
            val why = runCatching(explain).getOrElse { "$it" }
            violations += Violation('E', casting.label, "not $word within $patience: $why; ${late.message?.take(4000)}")
            casting.member.kill()
        }
    }

    private fun connect(): Signalbox {
        val settings =
            SignalboxSettings().apply {
                label = "last"
                lease = 5.seconds
                storeTimeout = plan.patience
            }
        return Connecting.redis(settings, scriptsWith(plan.bug)) { RedisConnections.own(RedisURI.create(arena.uri)) }
    }

    /** H: all timers that go off do so; those that go off again and again do so once more, and are cancelled. Returns the dead. */
    private suspend fun settleTimers(last: Signalbox): Set<String> {
        val timers = Timers(last) { declare(Once, Again, Poison) }

        suspend fun recurring() = timers.list(Again, limit = 1000).timers.associate { it.id to it.due }
        val before = recurring()
        suspend fun silent() = recurring().filter { (id, due) -> before[id] == due }
        val patience = patience
        withTimeoutOrNull(patience) { while (silent().isNotEmpty()) delay(50.milliseconds) }
            ?: run { violations += Violation('H', "timers", "did not go off again within $patience: ${silent()}") }
        do {
            val page = timers.list(Again, limit = 1000)
            page.timers.forEach { timers.cancel(Again, it.id) }
        } while (page.timers.isNotEmpty())
        val settled =
            withTimeoutOrNull(patience) {
                while (listOf(Once, Again, Poison).sumOf { timers.count(it) } > 0) delay(50.milliseconds)
            }
        if (settled == null) {
            val left = listOf(Once, Again, Poison).flatMap { timers.list(it, limit = 10).timers.map { timer -> "$timer" } }
            violations += Violation('H', "timers", "not handled within $patience: $left")
        }
        val dead = HashSet<String>()
        var after: String? = null
        do {
            val page = timers.deadTimers(limit = 1000, after = after)
            dead += page.timers.map { it.id }
            after = page.next
        } while (after != null)
        return dead
    }

    /** F: every permit can be had. */
    private suspend fun acquireAll(last: Signalbox) {
        for (prize in Prize.entries) {
            try {
                if (prize.kind == Kind.MUTEX) {
                    last.mutex(prize.title) { maxHold = prize.maxHold }.lock(timeout = patience).release()
                    continue
                }
                val semaphore =
                    last.semaphore(prize.title, prize.permits) {
                        maxHold = prize.maxHold
                        if (prize.isPool) algorithm = SemaphoreAlgorithm.Pool()
                    }
                if (prize.elastic) semaphore.resize(prize.permits)
                semaphore.acquire(prize.permits, timeout = patience).release()
            } catch (failure: SignalboxException) {
                violations += Violation('F', prize.title, "not all permits can be had in the end: $failure")
            }
        }
    }

    /** F: nobody holds, nobody waits, no session is there. */
    private fun nothingIsLeft() {
        for ((title, kind) in Arena.AUDITED) {
            val state = auditKey(title, kind = kind).removeSuffix(":audit")
            val counts = arena.command("HMGET", state, "plain", "listed", "queued", "turn").lines()
            if (counts.any { it.isNotEmpty() && it != "0" }) {
                violations +=
                    Violation('F', title, "held, listed, queued, turn at the end: $counts")
            }
            val sessions = arena.command("ZCARD", state.removeSuffix("state") + "sessions")
            if (sessions != "0") violations += Violation('F', title, "$sessions sessions at the end")
        }
    }

    private fun testimony(
        signals: Map<String, Int>,
        dead: Set<String>,
    ) = Testimony(
        castings.map { casting ->
            val lines = if (casting.journal.toFile().exists()) casting.journal.readLines().mapNotNull(Said::parse) else emptyList()
            Life(casting.label, casting.leaseMillis, casting.member.isDead, casting.member.isSkewed, lines)
        },
        Arena.AUDITED.mapValues { (title, kind) -> arena.audit(title, kind) },
        // Those that met something else than they wanted have done something, too.
        arena.strikes + arena.misses,
        arena.losses.toList(),
        plan.stage == Stage.BENT_CLOCK,
        Instant.now().let { it.epochSecond * 1_000_000 + it.nano / 1000 } - System.nanoTime() / 1000,
        Prize.entries.filter { it.isFenced }.associate { it.title to FencedRegister.accepted(witness, it.title) },
        signals,
        dead,
    )

    private companion object {
        /** How many faults are at work at once, at most. */
        const val HANDS = 4
        val PAUSE_MILLIS = 20L..800L
        val LEASES = listOf(1500, 700, 1000, 2000)
        val LONGEST_SESSION = LEASES.max().milliseconds + 100.milliseconds

        /** For the rest, once something has been found: that may be what it waits for. */
        val RESIDUE = 5.seconds
    }
}
