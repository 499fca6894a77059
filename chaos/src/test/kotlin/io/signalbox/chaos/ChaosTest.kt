package io.signalbox.chaos

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.signalbox.chaos.bug.NO_BUG
import io.signalbox.chaos.fault.Fault
import io.signalbox.chaos.run.Run
import io.signalbox.chaos.run.Servers
import io.signalbox.testkit.ServerClock
import java.nio.file.Path
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** A piece of what `bin/chaos` does for hours: `-Dsignalbox.chaos.seconds` says how long, `-Dsignalbox.seed` repeats a schedule of faults. */
class ChaosTest : FunSpec({
    timeout = 60.minutes.inWholeMilliseconds

    suspend fun run(
        seed: Long,
        length: Duration,
        bug: String,
    ): Run {
        val program = System.getenv("SIGNALBOX_REDIS_SERVER")?.takeIf { it.isNotBlank() }?.let(Path::of)
        return Servers(program, ServerClock.of(program) { println("ChaosTest: no bent clocks: $it") }).use { servers ->
            val directory = Path.of("target/chaos-${if (bug == NO_BUG) "none" else bug}").toAbsolutePath()
            Run(seed, length, Fault.all, servers.stages, servers, directory, bug = bug) { println("ChaosTest: $it") }.apply { play() }
        }
    }

    test("under all faults every promise is kept") {
        val seed = System.getProperty("signalbox.seed")?.toLong() ?: System.nanoTime()
        val length = (System.getProperty("signalbox.chaos.seconds")?.toInt() ?: 45).seconds
        withClue("signalbox.seed=$seed") {
            val run = run(seed, length, NO_BUG)
            run.violations.map { "$it".take(1000) }.shouldBeEmpty()
            run.operations shouldBeGreaterThan 1000
            run.strikes.size shouldBeGreaterThan 10
        }
    }

    test("a bug is found") {
        run(seed = 1, length = 1.seconds, bug = "one-permit-too-many").violations.shouldNotBeEmpty()
    }
})
