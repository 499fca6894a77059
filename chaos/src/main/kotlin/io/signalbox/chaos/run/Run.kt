package io.signalbox.chaos.run

import io.signalbox.chaos.bug.NO_BUG
import io.signalbox.chaos.bug.jvmOptionsFor
import io.signalbox.chaos.check.Testimony
import io.signalbox.chaos.check.Violation
import io.signalbox.chaos.fault.Fault
import io.signalbox.testkit.RedisServer
import java.nio.file.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.writeLines
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** How long an act is, at most, and how long what should end by itself is waited for. */
internal class Pace(
    val act: Duration = 20.seconds,
    /** For what takes milliseconds on a machine that has nothing else to do. */
    val patience: Duration = 120.seconds,
)

/** Act after act, until the time is over. */
internal class Run(
    private val seed: Long,
    private val length: Duration,
    private val faults: List<Fault>,
    private val stages: List<Stage>,
    private val servers: Servers,
    private val directory: Path,
    private val bug: String = NO_BUG,
    private val pace: Pace = Pace(),
    private val tell: (String) -> Unit,
) {
    var operations = 0L
        private set
    var extras = 0L
        private set
    val strikes = mutableListOf<Strike>()
    val violations = mutableListOf<Violation>()
    val elapsed: Duration get() = start.elapsedNow()

    private val start = TimeSource.Monotonic.markNow()

    suspend fun play() = Crew(jvmOptionsFor(bug)).use { play(it) }

    /** With clients that were there before. */
    suspend fun play(crew: Crew) {
        val random = Random(seed)
        directory.createDirectories()
        forget()
        RedisServer.start().use { witness ->
            var number = 0
            while (start.elapsedNow() < length && violations.isEmpty()) {
                val plan = plan(number++, random, minOf(pace.act, length - start.elapsedNow()))
                val began = elapsed
                val outcome = Act(plan, crew, witness, directory, servers).play()
                operations += outcome.testimony.operations
                extras += outcome.findings.extras
                strikes += outcome.strikes
                violations += outcome.findings.violations
                tell(
                    "act ${plan.number} ${plan.stage}: ${outcome.testimony.operations} operations, ${outcome.strikes.size} faults " +
                        "of ${outcome.strikes.distinctBy { it.kind }.size} kinds, ${outcome.findings.extras} extra holders, " +
                        "${outcome.findings.violations.size} violations, ${(elapsed - began).inWholeSeconds} s",
                )
                if (outcome.findings.violations.isEmpty()) forget() else keep(plan, outcome)
            }
        }
    }

    /** Each act has some of the faults only: what needs quiet around it is found as well. */
    private fun plan(
        number: Int,
        random: Random,
        length: Duration,
    ): Plan {
        val stage = stages[number % stages.size]
        val chosen = faults.filter { random.nextInt(5) < 3 }.ifEmpty { faults }
        return Plan(number, stage, chosen, random.nextLong(), maxOf(length, LEAST_ACT), bug, pace.patience)
    }

    private fun forget() = directory.toFile().listFiles().orEmpty().forEach { it.delete() }

    /** Leaves all there is to know. */
    private fun keep(
        plan: Plan,
        outcome: Act.Outcome,
    ) {
        val testimony = outcome.testimony
        testimony.audit.forEach { (title, events) -> directory.resolve("$title.audit").writeLines(events.map { "$it" }) }
        directory.resolve("faults").writeLines(
            listOf("seed $seed, act ${plan.number} on ${plan.stage} with ${plan.faults}") +
                outcome.strikes.sortedBy { it.begin }.map { "$it" } + testimony.losses.map { "lost: $it" },
        )
        directory.resolve("violations").writeLines(outcome.findings.violations.map { "$it" })
        for (violation in outcome.findings.violations.take(SHOWN)) {
            tell("VIOLATION $violation")
            violation.nanos?.let { around(testimony, violation, it) }
        }
        tell("The history of this act is in $directory; bin/chaos --seed $seed repeats the schedule of its faults.")
    }

    private fun around(
        testimony: Testimony,
        violation: Violation,
        nanos: Long,
    ) = testimony.around(violation.thing, nanos).takeLast(60).forEach { tell("  $it") }

    private companion object {
        val LEAST_ACT = 5.seconds
        const val SHOWN = 5
    }
}
