package io.signalbox.history

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.string.shouldContain
import io.signalbox.Semaphore
import io.signalbox.Signalbox
import io.signalbox.SignalboxException
import io.signalbox.fault.Stage
import io.signalbox.fault.loseReplyOnce
import io.signalbox.fault.onStage
import io.signalbox.internal.redis.Scripts
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/** A bug put into the scripts of production, and what the [AuditCheck] says of a history made with it. */
private class SeededBug(
    val name: String,
    val finding: String,
    /** What is right, and the wrong that takes its place. */
    private vararg val changes: Pair<String, String>,
) {
    fun scripts(): Scripts {
        val applied = HashSet<String>()
        val scripts =
            Scripts { script ->
                val spoilt =
                    changes.fold(script) { text, (right, wrong) ->
                        if (right in text) applied += right
                        text.replace(right, wrong)
                    }
                audited(spoilt)
            }
        check(applied.size == changes.size) { "Not in the scripts any more: ${changes.map { it.first } - applied}" }
        return scripts
    }
}

private val BUGS =
    listOf(
        SeededBug(
            "newcomers come before the queue",
            "passes by",
            "while open and left > 0 do" to "while ARGV[23] == '0' and open and left > 0 do",
            "if open and waiting == 0 and (turn == '' or (turn == session and counted and waits)) then" to "if open then",
        ),
        SeededBug(
            "the turn admits whoever comes, though others queue",
            "passes by",
            "if open and waiting == 0 and (turn" to "if open and (turn",
        ),
        SeededBug(
            "tries come before the queue",
            "passes by",
            "if open and waiting == 0 and (turn == '' or" to "if open and (not waits or waiting == 0) and (turn == '' or not waits or",
        ),
        SeededBug(
            "the last in the queue is the first out",
            "passes by",
            "'ZRANGE', queue, seen, seen + look - 1" to "'ZREVRANGE', queue, seen, seen + look - 1",
        ),
        SeededBug(
            "whoever waits for several is passed by while one is free",
            "passes by",
            "if open and waiting == 0 and (turn" to "if open and (waiting == 0 or plain + heavy < permits) and (turn",
        ),
        SeededBug(
            "one permit too many",
            "3 of 2 permits held",
            "math.min(permits - plain - heavy, count)" to "math.min(permits + 1 - plain - heavy, count)",
        ),
        SeededBug("one permit too many, the short way", "3 of 2 permits held", "if plain <= ARGV[6] + 0" to "if plain <= ARGV[6] + 1"),
        SeededBug(
            "the short way does not count what it gives",
            "3 of 2 permits held",
            "'plain', plain, 'clock', now,\n          'fence'" to "'plain', found[3], 'clock', now,\n          'fence'",
        ),
        SeededBug(
            "tokens by the second",
            "token not larger than",
            "math.max(fence + 1, micros)" to "math.floor(micros / 1000000) * 1000000",
        ),
        SeededBug(
            "a run's tokens are not reserved",
            "token not larger than",
            "next_token = first + count\n  owner" to "next_token = first + 1\n  owner",
        ),
        SeededBug("nobody is granted what comes back", "waits", "while open and left > 0 do" to "while now < 0 and left > 0 do"),
        SeededBug("a goodbye gives nothing on", "waits", "while open and left > 0 do" to "while open and not goodbye and left > 0 do"),
        SeededBug(
            "half a lease",
            "taken after",
            "if goodbye or wake <= now then" to "if true then",
            "sessions, '-inf', text(now), 'LIMIT', at_session" to "sessions, '-inf', text(now + 500), 'LIMIT', at_session",
        ),
        SeededBug(
            "the dead keep their permits",
            "waits",
            "plain, gone = plain - (record.given - record.returned), gone" to "plain, gone = plain, gone",
        ),
        SeededBug(
            "what is said to be returned is added, not set",
            "of 2 permits held",
            "plain - (words.returned - me.returned)" to "plain - words.returned",
        ),
        SeededBug(
            "who is given a permit has not passed",
            "permits more than it has waiters",
            "owner.given + count, owner.passed + count, plain + count" to "owner.given + count, owner.passed, plain + count",
        ),
        SeededBug(
            "a turn that is worked off goes on",
            "waits",
            "if owner.passed >= owner.admitted and turn == owner.name then" to "if false then",
        ),
        SeededBug(
            "the turn may hand on what is not there any more",
            "may hand on all of them",
            "if holder and excess > 0 then" to "if false then",
        ),
        SeededBug(
            "a number is executed again",
            "executed after",
            "if number == me.number or number == me.number - 1 then" to "if number == me.number - 1 then",
        ),
        SeededBug("a place that is given up stays in the queue", "passes by", "redis.call('ZREM', queue, runs[j])" to ""),
    )

/** Less than the rounds of [SeededBugsTest] take as long as they are granted nothing. */
private val LEASE = 1.seconds

/** Whether the checker would notice: with each bug the same scenes are played, and their history is checked. */
class SeededBugsTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    suspend fun Semaphore.use(rounds: Int) =
        coroutineScope {
            repeat(6) {
                launch(Dispatchers.Default) { repeat(rounds) { tryAcquire(timeout = 50.milliseconds)?.release() } }
            }
        }

    suspend fun contend(
        semaphores: List<Semaphore>,
        rounds: Int,
    ) = coroutineScope { semaphores.forEach { launch { it.use(rounds) } } }

    /** How many acquires have got an answer. */
    fun Stage.asked(): Int =
        redis.audit("seeded").sumOf { event ->
            when (event.what) {
                "fast" -> event.words[1].toInt()
                "admitted", "granted", "queued" -> event.words[3].toInt()
                else -> 0
            }
        }

    /** Both permits at once are waited for while one is free, which is nobody's then. */
    suspend fun Stage.wantBoth(
        one: Semaphore,
        other: Semaphore,
    ) = coroutineScope {
        val held = one.acquire()
        val before = asked()
        val both = launch { other.acquire(permits = 2).release() }
        eventually(30.seconds) { asked() shouldBeGreaterThan before }
        one.tryAcquire()?.release()
        held.release()
        both.join()
    }

    /** Somebody waits for what a client leaves behind. */
    suspend fun Stage.leaveWithBoth(
        leaving: Signalbox,
        one: Semaphore,
        other: Semaphore,
    ) = coroutineScope {
        repeat(2) { one.acquire() }
        val before = asked()
        val next = launch { other.acquire().release() }
        eventually(30.seconds) { asked() shouldBeGreaterThan before }
        leaving.closeAndJoin()
        next.join()
    }

    /** Two clients contend for two permits; another one, whose first answer was lost, dies with both and with the turn. */
    suspend fun Stage.scenes(
        scripts: Scripts,
        clients: List<Signalbox>,
        dying: Semaphore,
    ) = coroutineScope {
        proxy.loseReplyOnce(scripts) { it.acquires > 0 }
        repeat(2) { dying.acquire() }
        val place = launch { dying.acquire() }
        eventually(30.seconds) { asked() shouldBeGreaterThanOrEqual 3 }
        proxy.refuseConnections()
        proxy.cut()
        val semaphores = clients.map { it.semaphore("seeded", 2) }
        contend(semaphores, rounds = 30)
        // Comes after the lease of the dead, whatever became of the others.
        withTimeoutOrNull(3.seconds) { semaphores.first().acquire().release() }
        place.cancel()
        val resizing = launch { repeat(20) { for (permits in listOf(1, 2)) semaphores.last().resize(permits) } }
        contend(semaphores, rounds = 10)
        resizing.join()
        wantBoth(semaphores.first(), semaphores.last())
        leaveWithBoth(clients.first(), semaphores.first(), semaphores.last())
    }

    suspend fun Stage.history(scripts: Scripts): List<AuditEvent> {
        load(scripts)
        val clients = List(2) { client(lease = LEASE, scripts = scripts) }
        val dying = client(proxied, lease = LEASE, scripts = scripts).semaphore("seeded", 2)
        try {
            withTimeoutOrNull(40.seconds) { scenes(scripts, clients, dying) }
        } catch (failure: SignalboxException) {
            // Of what a spoilt script answers.
            if (scripts === auditedScripts) throw failure
        }
        clients.forEach { it.closeAndJoin() }
        return redis.audit("seeded")
    }

    for (bug in BUGS) {
        test("found: ${bug.name}") {
            onStage {
                val check = AuditCheck("seeded", permits = 2).replay(history(bug.scripts())).finish()
                check.violations.joinToString("\n") shouldContain bug.finding
            }
        }
    }

    test("without a bug nothing is found") {
        onStage {
            val check = AuditCheck("seeded", permits = 2).replay(history(auditedScripts)).finish()
            check.violations.shouldBeEmpty()
            check.given shouldBeGreaterThan 0L
            check.started shouldBeGreaterThan check.given
        }
    }
})
