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

    for (bug in seeded(SEEDED_BUGS, everyday = 3)) {
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
