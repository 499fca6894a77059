package io.signalbox.processes

import io.kotest.assertions.assertSoftly
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.fault.StoredSemaphore
import io.signalbox.history.AuditCheck
import io.signalbox.history.AuditLog
import io.signalbox.history.isFullRun
import io.signalbox.history.overlaps
import io.signalbox.history.overtakings
import io.signalbox.history.registerViolations
import io.signalbox.testkit.RedisServer
import java.io.File
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours

private val DUMP = File("target/crash")

/**
 * Processes that fight for semaphores while they are killed and frozen, wherever they are in the life of a permit. Two witnesses
 * that know nothing of each other are heard afterwards: what the server wrote down, and what the clients lived through.
 *
 * The plan of blows follows from the seed that is printed; `-Dsignalbox.crash.seed` repeats it, `-Dsignalbox.crash.blows` makes it
 * longer than usual, and the full run is more than twice as long. What was seen is in `target/crash` afterwards.
 */
class CrashTest : FunSpec({
    timeout = 10.hours.inWholeMilliseconds

    test("processes are killed and frozen, and every promise is kept") {
        val seed = System.getProperty("signalbox.crash.seed")?.toLong() ?: System.nanoTime()
        val blows = System.getProperty("signalbox.crash.blows")?.toInt() ?: if (isFullRun) 104 else 40
        val grants = 200 * blows
        withClue("signalbox.crash.seed=$seed") {
            RedisServer.start().use { redis ->
                val record = Crowd(redis, Random(seed)).use { it.run(blows, grants) }
                val audits = CONTENDED.keys.associateWith { AuditLog(redis, it).next() }
                val checks = CONTENDED.mapValues { (name, permits) -> AuditCheck(name, permits).replay(audits.getValue(name)).finish() }
                val refused = FENCED.sumOf { FencedRegister.refused(redis, it) }
                record.dump(DUMP)
                audits.forEach { (name, events) -> DUMP.resolve("audit-$name.txt").writeText(events.joinToString("\n")) }
                println("CrashTest: ${record.summary(checks)}; $refused late accesses fenced off; seed $seed")

                assertSoftly {
                    checks.values.flatMap { it.violations }.joinToString("\n") shouldBe ""
                    CONTENDED.flatMap { (name, permits) -> overlaps(name, permits, record.intervals(name)) }.shouldBeEmpty()
                    CONTENDED.flatMap { (name, permits) -> overtakings(name, permits, record.intervals(name)) }.shouldBeEmpty()
                    record.unknownTokens(checks).shouldBeEmpty()
                    FENCED.flatMap { registerViolations(it, FencedRegister.accepted(redis, it)) }.shouldBeEmpty()
                    CONTENDED.keys.sumOf { StoredSemaphore(redis, it).run { held + queued } } shouldBe 0
                    checks.values.sumOf { it.started }.toInt() shouldBeGreaterThanOrEqual grants
                    record.kills + record.freezes shouldBeGreaterThanOrEqual blows - 4
                }
            }
        }
    }
})
