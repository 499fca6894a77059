package io.signalbox.timers.processes

import io.kotest.assertions.assertSoftly
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.Signalbox
import io.signalbox.testkit.ChildJvm
import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Timers
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap
import kotlin.io.path.exists
import kotlin.io.path.readLines
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/**
 * Worker processes that are killed, and a server that is killed and started again, while timers are set, set anew and cancelled. What
 * the workers wrote down is held against what the client was promised.
 *
 * `-Dsignalbox.timers.count` makes it longer.
 */
class KillTest : FunSpec({
    timeout = 60.minutes.inWholeMilliseconds

    test("no timer is lost, none is early, and none is doubled unless its claim had lapsed") {
        val count = System.getProperty("signalbox.timers.count")?.toInt() ?: 50_000
        val seed = System.getProperty("signalbox.seed")?.toLong() ?: Random.nextLong()
        withClue("signalbox.seed=$seed") {
            RedisServer.start { appendOnly() }.use { redis ->
                val findings = Trial(redis, count, Random(seed)).use { it.run() }
                println("KillTest: $findings; seed $seed")
                assertSoftly {
                    findings.lost.take(10).shouldBeEmpty()
                    findings.early.take(10).shouldBeEmpty()
                    findings.afterCancelling.take(10).shouldBeEmpty()
                    findings.afterReplacing.take(10).shouldBeEmpty()
                    findings.unexplained.take(10).shouldBeEmpty()
                    findings.kills shouldBeGreaterThanOrEqual 4
                    findings.restarts shouldBe 2
                    findings.handled shouldBeGreaterThan count * 8 / 10
                    findings.leftBehind shouldBe 0
                }
            }
        }
    }
})

private const val WORKERS = 4

/** For a child to start or end, on a machine that has other things to do. */
private val LONG = 2.minutes.toJavaDuration()

/** Claims end at a whole millisecond of the server's clock. */
private const val LEASE_MICROS = 2_000_000L - 1_000

/** One time that a handler began. */
private class Run(line: String) {
    private val words = line.split(' ')
    val id = words[0]
    val version = words[1].toInt()
    val due = words[2].toLong()
    val attempt = words[3].toInt()

    /** When the claim was made, by the server's clock in microseconds. */
    val token = words[4].toLong()
    val at = words[5].toLong()

    override fun toString() = "$id v$version attempt $attempt due $due claimed $token at $at"
}

private class Findings(
    val handled: Int,
    val kills: Int,
    val restarts: Int,
    val leftBehind: Long,
    val lost: List<String>,
    val early: List<Run>,
    val afterCancelling: List<Run>,
    val afterReplacing: List<Run>,
    val doubled: Int,
    val unexplained: List<Pair<Run, Run>>,
) {
    override fun toString() =
        "$handled handled, $kills kills, $restarts restarts of the server, $doubled handled again after their claim had lapsed"
}

private class Trial(
    private val redis: RedisProcess,
    private val count: Int,
    private val random: Random,
) : AutoCloseable {
    private val directory: Path = Files.createTempDirectory("timers")
    private val workers = ArrayList<ChildJvm>()
    private var started = 0

    /** The last version of each timer that was acknowledged, and when, in server microseconds at the latest. */
    private val versions = ConcurrentHashMap<String, Pair<Int, Long>>()
    private val cancelled = ConcurrentHashMap<String, Long>()

    private fun startWorker(): ChildJvm =
        ChildJvm
            .start(
                "io.signalbox.timers.processes.WorkerProcessKt",
                arguments = listOf(redis.uri, "kill", "$directory/journal-${started++}"),
                jvmOptions = listOf("-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            ).also { workers += it }

    private fun nowMicros() = System.currentTimeMillis() * 1000 + 999

    suspend fun run(): Findings = withContext(Dispatchers.Default) {
        repeat(WORKERS) { startWorker() }
        workers.forEach { it.awaitLine("ready", LONG) }
        val signalbox = Signalbox.connect(redis.uri) {
            namespace = "kill"
            storeTimeout = 60.seconds
        }
        val timers = Timers(signalbox) { declare(Settings) }
        var kills = 0
        var restarts = 0
        coroutineScope {
            val setting = launch { setAll(timers) }
            while (kills < 4 || restarts < 2) {
                // Until the worker that was started last has something to lose.
                delay(800.milliseconds)
                if (kills >= 2 * restarts + 2) {
                    redis.kill()
                    redis.restart()
                    restarts++
                } else {
                    val victim = workers.filter { it.isAlive }.random(random)
                    victim.kill()
                    kills++
                    startWorker().awaitLine("ready", LONG)
                }
            }
            setting.join()
        }
        eventually(5.minutes) { timers.count(Settings) shouldBe 0 }
        val left = timers.count(Settings) + timers.deadTimers().timers.size
        workers.filter { it.isAlive }.forEach { it.send("stop") }
        workers.filter { it.isAlive }.forEach { it.awaitLine("done", LONG) }
        signalbox.closeAndJoin()
        judge(kills, restarts, left)
    }

    /** Sets, sets anew and cancels, a few hundred timers at a time. */
    private suspend fun setAll(timers: Timers) {
        val chunk = 500
        for (first in 0 until count step chunk) {
            val ids = (first until minOf(first + chunk, count)).map { "t$it" }
            timers.scheduleAll(Settings, ids.map { NewTimer(it, Setting(1), random.nextInt(4_000).milliseconds) })
            val acknowledged = nowMicros()
            ids.forEach { versions[it] = Pair(1, acknowledged) }
            val resets = ids.shuffled(random).take(chunk / 10).associateWith { random.nextInt(2_000).milliseconds }
            coroutineScope {
                for ((id, after) in resets) {
                    launch {
                        timers.schedule(Settings, id, Setting(2), after)
                        versions[id] = Pair(2, nowMicros())
                    }
                }
            }
            val unwanted = ids.shuffled(random).take(chunk / 20)
            coroutineScope { unwanted.forEach { launch { if (timers.cancel(Settings, it)) cancelled[it] = nowMicros() } } }
            // Keeps the setting of timers going while blows fall.
            delay(50.milliseconds)
        }
    }

    private fun judge(
        kills: Int,
        restarts: Int,
        left: Long,
    ): Findings {
        val runs = (0 until started).map { directory.resolve("journal-$it") }.filter { it.exists() }.flatMap { it.readLines() }.map(::Run)
        val byTimer = runs.groupBy { it.id }
        // A cancelled timer had not been handled to its end; whether it had begun does not matter.
        val lost = versions.filter { (id, last) -> !cancelled.containsKey(id) && byTimer[id].orEmpty().none { it.version == last.first } }
        val again = runs.groupBy { Pair(it.id, it.version) }.values.filter { it.size > 1 }.map { it.sortedBy { run -> run.token } }
        return Findings(
            handled = byTimer.size,
            kills,
            restarts,
            left,
            lost = lost.map { (id, last) -> "$id v${last.first}: ${byTimer[id]}" },
            early = runs.filter { it.at < it.due },
            afterCancelling = runs.filter { run -> cancelled[run.id]?.let { run.token > it } == true },
            afterReplacing =
            runs.filter { run -> versions[run.id]?.let { (version, at) -> run.version < version && run.token > at } == true },
            doubled = again.size,
            unexplained = again.flatMap { it.zipWithNext() }.filter { (one, two) -> two.token - one.token < LEASE_MICROS },
        )
    }

    override fun close() {
        workers.forEach { it.close() }
        directory.toFile().deleteRecursively()
    }
}
