package io.signalbox.benchmarks.measure

import io.signalbox.benchmarks.contender.Form
import io.signalbox.benchmarks.contender.Peer
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** What all processes did in one window. */
internal class WindowRound(
    val round: Round,
    /** The part of the time that a permit is held, from the return of its acquire to the call of its release. */
    val use: Double,
    val meanHoldMillis: Double,
)

/**
 * One peer in several processes, whose loops all run over the same windows of time: each begins a little before and ends a little after.
 * Pairs are summed, latencies merged.
 *
 * Checked: the grants counted on the server equal all pairs, those outside of the window included; and tokens rise over all processes.
 */
internal class Processes(
    private val peer: Peer,
    private val permits: Int,
    private val processes: List<LoopProcess>,
) {
    suspend fun run(
        form: Form,
        length: Duration,
        hold: Duration?,
    ): WindowRound =
        withContext(Dispatchers.IO) {
            val title = "${peer.title(form)} in ${processes.size} processes"
            val before = granted()
            val start = System.nanoTime() + LEAD.inWholeNanoseconds
            val window = Window(start, start + length.inWholeNanoseconds)
            processes.forEach { it.begin(LoopProcess.Task(form, window, hold?.inWholeMilliseconds)) }
            val reports = processes.map { it.await() }
            checkGrants(title, granted() - before, reports.sumOf { it.all })
            TokenOrder.check(title, TokenOrder.merged(reports.map { it.tokens }))
            summed(window, reports)
        }

    /** Everybody is asked, because what a client has not yet said about its own may be missing for the others; the last knows all. */
    private fun granted(): Long = processes.map { it.granted() }.last()

    private fun summed(
        window: Window,
        reports: List<WindowReport>,
    ): WindowRound {
        val waits = latencies().apply { reports.forEach { add(it.waits()) } }
        return WindowRound(
            Round(reports.sumOf { it.pairs } / (window.nanos / 1e9), waits),
            reports.sumOf { it.usedNanos } / (permits.toDouble() * window.nanos),
            reports.sumOf { it.holdNanos } / 1e6 / reports.sumOf { it.holds }.coerceAtLeast(1),
        )
    }

    private companion object {
        /** Until all processes are under way. */
        val LEAD = 150.milliseconds
    }
}
