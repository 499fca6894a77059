package io.signalbox.pool.model

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.Logger
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.string.shouldContain
import io.lettuce.core.protocol.CommandType
import io.signalbox.history.isFullRun
import io.signalbox.history.seeded
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours
import org.slf4j.LoggerFactory

/**
 * The clients of production against a model of the server and of everything between: 400 lives of a pool (2 000 in the full run),
 * `-Dsignalbox.schedules=100000` for more. `-Dsignalbox.seed=N` repeats a run, `-Dsignalbox.schedule=N` one of its schedules.
 */
class PoolModelSpec : FunSpec({
    timeout = 5.hours.inWholeMilliseconds
    val log = LoggerFactory.getLogger("io.signalbox") as Logger
    // Nothing but bad news, thousands of times.
    beforeSpec { log.level = Level.OFF }
    afterSpec { log.level = null }

    val schedules = System.getProperty("signalbox.schedules")?.toInt() ?: if (isFullRun) 2_000 else 400
    val seed = System.getProperty("signalbox.seed")?.toLong() ?: Random.nextLong()
    val only = System.getProperty("signalbox.schedule")?.toLong()

    test("$schedules random schedules from seed $seed") {
        val seeds = if (only != null) listOf(only) else Random(seed).let { random -> List(schedules) { random.nextLong() } }
        val executed = HashMap<CommandType, Int>()
        var grants = 0
        for (one in seeds) {
            val schedule = PoolSchedule(one)
            try {
                schedule.play()
            } catch (problem: Throwable) {
                throw AssertionError("Repeat this schedule alone by -Dsignalbox.schedule=$one. ${problem.message}", problem)
            }
            grants += schedule.grants
            schedule.executed.forEach { (word, count) -> executed.merge(word, count, Int::plus) }
        }
        println("pool model: ${seeds.size} schedules, $grants grants, ${executed.values.sum()} commands, seed $seed")
        // A model that never gets to a command proves nothing about it.
        if (only == null) withClue(executed) { executed.getValue(CommandType.ZREMRANGEBYSCORE) shouldBeGreaterThan seeds.size / 100 }
    }

    for (bug in seeded(POOL_BUGS, everyday = 1)) {
        test("found: ${bug.name}") {
            val random = Random(seed)
            val found = generateSequence { runCatching { PoolSchedule(random.nextLong(), bug, bug.kind).play() }.exceptionOrNull() ?: Unit }
                .take(MOST)
                .firstNotNullOfOrNull { it as? Throwable }
            withClue("seed $seed") { found.shouldNotBeNull().message.orEmpty() shouldContain bug.finding }
        }
    }
})

/** The rarest is found in one of some hundred schedules. */
private const val MOST = 10_000
