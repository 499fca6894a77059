package io.signalbox.examples.demo.semaphore

import io.signalbox.Semaphore
import io.signalbox.SemaphoreSnapshot
import io.signalbox.examples.demo.DemoFailure
import io.signalbox.examples.demo.Interruption
import io.signalbox.examples.demo.semaphore.Happening.Weight
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay

/**
 * The course of one run:
 *
 * ```
 * workers get ready - compete - one is killed and replaced - its permit comes back - late write - compete - stop - look around
 * ```
 *
 * While one step waits for the next, [tick] listens to the workers, looks at the server and keeps the view up to date.
 */
internal class Performance(
    private val plan: Plan,
    private val view: View,
    private val semaphore: Semaphore,
    private val register: FencedRegister,
    private val crew: Crew,
    private val servers: Servers?,
) {
    private val timeline = Timeline()
    private val journal = Journal(plan)
    private val heldSamples = mutableListOf<Int>()
    private var snapshot: SemaphoreSnapshot? = null
    private var start: Long? = null
    private var failover: Failover? = null

    suspend fun run(): Evidence {
        letWorkersGetReady()
        compete()
        tickUntil(plan.killAfter) { false }
        killHolder()
        tickUntil(plan.lease + plan.tolerance * 2) { journal.comeback?.let(::hasWritten) ?: (journal.kill == null) }
        val lateWrite = writeLate()
        killPrimary()
        tickUntil(plan.length - sinceStart()) { false }
        stop()
        val end = semaphore.snapshot()
        return evidence(lateWrite, EndState(end.permits, end.heldPermits, end.queueLength))
    }

    private suspend fun letWorkersGetReady() {
        val before = System.nanoTime()
        repeat(plan.processes) { crew.hire() }
        val inTime = tickUntil(PATIENCE) { journal.ready.size == plan.processes }
        if (!inTime) throw DemoFailure("the workers did not get ready within $PATIENCE")
        // System.nanoTime() promises nothing across JVMs. Where it is the system's monotonic clock, it is the same for all.
        if (journal.ready.values.any {
                it !in before..System.nanoTime()
            }
        ) {
            throw DemoFailure("the JVMs of this machine have no clock in common")
        }
    }

    private fun compete() {
        start = System.nanoTime()
        say("all workers start")
        crew.members.forEach { it.start() }
    }

    /** Kills a worker while it holds a permit. If it lets go at that very moment, another one has to die. */
    private suspend fun killHolder() {
        repeat(MOST_KILLS) {
            var found: Crew.Member? = null
            tickUntil(PATIENCE) { freshHolder().also { found = it } != null }
            val victim = found ?: return
            victim.kill()
            val successor = crew.hire()
            say("worker ${successor.number} (pid ${successor.pid}) takes the place of worker ${victim.number}", Weight.NOTABLE)
            successor.start()
            tickUntil(SETTLING * 2) { false }
            tick() // on a busy machine the last one may be older than the news
            if (journal.kill != null) return
        }
        throw DemoFailure("no worker could be caught while it held a permit; is the machine very busy?")
    }

    /** A worker that will go on holding its permit for some time. */
    private fun freshHolder(): Crew.Member? {
        val since = System.nanoTime() - (SETTLING + TICK * 2).inWholeNanoseconds
        return crew.alive.firstOrNull { member -> journal.holdingSince(member.number)?.let { it > since } == true }
    }

    private fun hasWritten(turn: Turn) = journal.answers.any { it.token == turn.token }

    /** Writes as the killed holder would have, had its packet been on the way for some seconds. */
    private suspend fun writeLate(): RegisterAnswer? {
        val turn = journal.kill?.turn?.takeIf { journal.comeback != null } ?: return null
        val answer = register.write(turn.token, "late packet of worker ${turn.worker}")
        val (outcome, weight) = if (answer.accepted) "ACCEPTED" to Weight.BAD else "refused" to Weight.GOOD
        say("a late write with the token of killed worker ${turn.worker} arrives: $outcome", weight)
        return answer
    }

    private suspend fun stop() {
        say("time is up, the workers stop")
        crew.alive.forEach { it.stop() }
        if (!tickUntil(PATIENCE) { crew.members.none { it.isAlive } }) throw DemoFailure("not all workers ended within $PATIENCE")
        tick()
        listen(Long.MAX_VALUE)
        view.show(scene())
    }

    /** And goes on until its heir has granted something, or that takes too long. */
    private suspend fun killPrimary() {
        val kill = servers?.killPrimary ?: return
        val from = servers.portOf("{${semaphore.name}}")
        val at = System.nanoTime()
        say("the primary, on port $from, is killed (SIGKILL)", Weight.BAD)
        coroutineScope {
            // Blocks until the servers have agreed; the workers and the view go on.
            val heir = async(Dispatchers.IO) { kill("{${semaphore.name}}") }
            tickUntil(PATIENCE * 2) { heir.isCompleted }
            val to = heir.await().port
            failover = Failover(at, from, to, (System.nanoTime() - at).nanoseconds)
            say("the server on port $to is the primary now", Weight.GOOD)
        }
        tickUntil(PATIENCE) { journal.turns.any { it.askedAt > at } }
        tickUntil(AFTERWARDS) { false }
    }

    /** Ticks until [reached], for [limit] at most; returns whether it was. */
    private suspend fun tickUntil(limit: Duration, reached: () -> Boolean): Boolean {
        val end = System.nanoTime() + limit.inWholeNanoseconds
        while (!reached()) {
            if (System.nanoTime() >= end) return false
            tick()
            delay(TICK)
        }
        return true
    }

    private suspend fun tick() {
        if (Interruption.happened) awaitCancellation()
        crew.members.forEach { it.requireHealth() }
        listen(System.nanoTime() - SETTLING.inWholeNanoseconds)
        snapshot = semaphore.snapshot().also { heldSamples += it.heldPermits }
        view.show(scene())
    }

    private fun listen(until: Long) {
        crew.news().forEach(timeline::add)
        for (news in timeline.takeBefore(until)) {
            journal.add(news).forEach { view.tell(it, scene()) }
        }
    }

    private fun say(text: String, weight: Weight = Weight.ROUTINE) {
        timeline.add(News(News.NOBODY, Happening(System.nanoTime(), text, weight)))
    }

    private fun scene() = Scene(crew, journal, start, snapshot)

    private fun sinceStart(): Duration = (System.nanoTime() - checkNotNull(start)).nanoseconds

    private suspend fun evidence(lateWrite: RegisterAnswer?, end: EndState) = Evidence(
        plan.permits,
        plan.lease,
        plan.tolerance,
        journal.turns,
        heldSamples,
        register.history(),
        journal.answers.filterNot { it.accepted },
        journal.kill,
        lateWrite,
        end,
        failover,
    )

    private companion object {
        val TICK = 50.milliseconds

        /** How long news may be on their way. */
        val SETTLING = 100.milliseconds

        /** For what takes a second or two on an idle machine. */
        val PATIENCE = 30.seconds

        /** For what comes of it. */
        val AFTERWARDS = 3.seconds

        const val MOST_KILLS = 5
    }
}
