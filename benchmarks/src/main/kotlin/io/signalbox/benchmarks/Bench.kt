package io.signalbox.benchmarks

import io.signalbox.benchmarks.contender.Arena
import io.signalbox.benchmarks.contender.Contender
import io.signalbox.benchmarks.contender.Form
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.ClosedLoop
import io.signalbox.benchmarks.measure.HandOff
import io.signalbox.benchmarks.measure.LoopProcess
import io.signalbox.benchmarks.measure.Processes
import io.signalbox.benchmarks.measure.Round
import io.signalbox.benchmarks.measure.Spread
import io.signalbox.benchmarks.measure.SpreadRound
import io.signalbox.benchmarks.measure.Waiting
import io.signalbox.benchmarks.measure.WaitingCost
import io.signalbox.benchmarks.measure.WindowRound
import io.signalbox.benchmarks.measure.interleaved
import io.signalbox.benchmarks.report.Row
import io.signalbox.benchmarks.timers.IdleCost
import io.signalbox.benchmarks.timers.RedissonTimerContender
import io.signalbox.benchmarks.timers.SignalboxTimerContender
import io.signalbox.benchmarks.timers.TimerRounds
import io.signalbox.benchmarks.timers.bullMq
import io.signalbox.benchmarks.timers.idleCost
import io.signalbox.benchmarks.timers.lineOf
import io.signalbox.benchmarks.timers.timerRounds
import io.signalbox.benchmarks.timers.timersOf
import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.RedisServer
import io.signalbox.testkit.RedisTopology
import kotlin.time.Duration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield
import org.HdrHistogram.Histogram

/** One run on one server: measures what figures ask for, and keeps every row for the tables and plots. */
internal class Bench(
    val uri: String,
    private val statistics: Statistics,
    private val plan: Plan,
    private val startMaster: () -> RedisProcess = { RedisServer.start() },
    private val progress: (String) -> Unit = {},
) : AutoCloseable {
    private val cluster = lazy { RedisTopology.cluster(masters = 3, replicas = 0) }
    private val masters = lazy { List(3) { startMaster() } }

    val rows = mutableListOf<Row>()
    val waiting = mutableListOf<WaitingCost>()
    val timers = mutableListOf<TimerRounds>()
    val idle = mutableListOf<IdleCost>()

    /** What was measured beside for which there is no figure. */
    val beside = mutableListOf<String>()

    /** Closed loops of acquire and release in this process. Both forms of a peer under one load share a client. */
    suspend fun loops(
        scenario: String,
        entries: List<Entry>,
    ): Map<Entry, List<Round>> {
        progress("$scenario: ${entries.joinToString { "${it.title} (${it.coroutines})" }}")
        val contenders = mutableMapOf<Entry, Contender>()
        try {
            val loops =
                entries.associateWith { entry ->
                    val contender = contenders.getOrPut(entry.copy(form = OPENED)) { entry.peer.open(arena(scenario, entry)) }
                    ClosedLoop(entry.title, contender, entry.coroutines, entry.permits, entry.form)
                }
            val rounds =
                interleaved(entries, plan.rounds, { warmUp(loops.getValue(it)) }) { loops.getValue(it).runFor(plan.round) }
            rounds.forEach { (entry, of) -> rows += Row.ofLoop(scenario, entry, of) }
            return rounds
        } finally {
            contenders.values.forEach { it.close() }
        }
    }

    /** The first part with a hold, in which others can meet the holder if too many are let in. */
    private suspend fun warmUp(loop: ClosedLoop) {
        loop.runFor(plan.round / 2) { yield() }
        loop.runFor(plan.round)
    }

    /** Closed loops in [count] processes of their own, each with its part of the coroutines; [through] is their way to the server. */
    suspend fun processes(
        scenario: String,
        count: Int,
        entries: List<Entry>,
        hold: Duration? = null,
        through: String = uri,
    ): Map<Entry, List<WindowRound>> {
        progress("$scenario: ${entries.joinToString { "${it.title} ($count x ${it.coroutines / count})" }}")
        val children = mutableMapOf<Entry, List<LoopProcess>>()
        try {
            entries.forEach { entry ->
                children.getOrPut(entry.copy(form = OPENED)) {
                    val name = arena(scenario, entry).name
                    List(count) { LoopProcess.start(entry.peer, through, uri, name, entry.permits, entry.coroutines / count) }
                }
            }
            withContext(Dispatchers.IO) { children.values.flatten().forEach { it.awaitReady() } }
            val processes = entries.associateWith { Processes(it.peer, it.permits, children.getValue(it.copy(form = OPENED))) }
            val rounds =
                interleaved(
                    entries,
                    plan.rounds,
                    { processes.getValue(it).run(it.form, plan.round * CHILD_WARM_UP, hold) },
                ) { processes.getValue(it).run(it.form, plan.round, hold) }
            rounds.forEach { (entry, of) -> rows += Row.ofLoop(scenario, entry, of.map { it.round }) }
            return rounds
        } finally {
            children.values.flatten().forEach { it.close() }
        }
    }

    /** Hand-offs between two clients. */
    suspend fun handOffs(peers: List<Peer>): Map<Peer, List<Histogram>> {
        progress("hand-off: ${peers.joinToString { it.title() }}")
        val opened = mutableListOf<Contender>()
        try {
            val pairs =
                peers.associateWith { peer ->
                    val arena = arena("hand-off", Entry(peer, coroutines = 1, permits = 1))
                    val first = peer.open(arena).also { opened += it }
                    val second = peer.open(arena).also { opened += it }
                    HandOff(peer.title(), first, second)
                }
            val rounds =
                interleaved(peers, plan.rounds, { pairs.getValue(it).runFor(plan.round) }) { pairs.getValue(it).runFor(plan.round) }
            rounds.forEach { (peer, of) -> rows += Row.ofHandOff(peer, of) }
            return rounds
        } finally {
            opened.forEach { it.close() }
        }
    }

    suspend fun waiting(): WaitingCost {
        progress("waiting: ${plan.waitingCoroutines} coroutines, watched for ${plan.waitingWindow}")
        return Waiting(uri, statistics).measure(plan.waitingCoroutines, plan.waitingWindow).also { waiting += it }
    }

    /** Timers of this library and of Redisson, in this order. */
    suspend fun timers(): List<TimerRounds> {
        progress("timers: setting, draining, lag")
        val contenders = listOf(SignalboxTimerContender(uri), RedissonTimerContender(uri))
        try {
            return timerRounds(contenders, plan.rounds, ::timersOf).also {
                timers += it
                it.mapTo(beside, ::lineOf)
            }
        } finally {
            contenders.forEach { it.close() }
        }
    }

    /** BullMQ, after the others, where it is installed. */
    suspend fun bullMq() {
        progress("timers: BullMQ, if it is installed")
        beside += withContext(Dispatchers.IO) { bullMq(uri, plan.rounds) } ?: return
    }

    /** With one worker and with 32. */
    suspend fun idleWorkers(): List<IdleCost> {
        progress("timers: idle workers")
        return listOf(1, 32).map { idleCost(uri, statistics, it) }.also { idle += it }
    }

    private fun arena(
        scenario: String,
        entry: Entry,
    ): Arena {
        val name = "$scenario-${entry.coroutines}-${entry.permits}".replace(Regex("[^A-Za-z0-9-]+"), "-")
        return Arena(
            uri,
            name,
            entry.permits,
            entry.coroutines,
            statistics,
            { cluster.value.uri },
            { masters.value.map { it.uri } },
        )
    }

    /** A thousand semaphores over one master and over three. */
    suspend fun spread(): Map<Int, List<SpreadRound>> {
        progress("spread: 1000 semaphores over 1 and 3 masters")
        return Spread(listOf(1, 3)).use { it.measure(plan.rounds, plan.round) }
    }

    override fun close() {
        if (cluster.isInitialized()) cluster.value.close()
        if (masters.isInitialized()) masters.value.forEach { it.close() }
    }

    private companion object {
        /** Rounds that a new JVM runs before it is measured. */
        const val CHILD_WARM_UP = 2

        /** The form that stands for both where they share a client. */
        val OPENED = Form.RELEASE
    }
}
