package io.signalbox.timers.processes

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.doubles.shouldBeLessThanOrEqual
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.Signalbox
import io.signalbox.testkit.ChildJvm
import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.Timers
import io.signalbox.timers.behaviour.Note
import io.signalbox.timers.behaviour.Notes
import io.signalbox.timers.behaviour.PATIENCE
import io.signalbox.timers.behaviour.soon
import io.signalbox.timers.internal.ledger.Scores
import io.signalbox.timers.minus
import io.signalbox.timers.plus
import java.nio.file.Files
import kotlin.io.path.exists
import kotlin.io.path.readLines
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.toJavaDuration
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

/** The bound that is promised by default. */
private const val BOUND = 2_000L

/** Nobody looks around of himself before. */
private const val LEAST_SAFETY_CHECK = 24_000L

/** Who wakes, and who does not. */
class WakingTest : FunSpec({
    /** Who has promised to wake when, by the server's clock in milliseconds; the first is the first to. */
    fun RedisProcess.promises(key: String): List<Pair<String, Long>> =
        command("ZRANGE", key, "0", "-1", "WITHSCORES").lines().filter {
            it.isNotEmpty()
        }.chunked(2).map { (who, at) -> Pair(who, at.toLong()) }

    test("if the worker is killed that was to wake for a timer, another one has promised to wake within the bound, and does") {
        val sleepers = "waking:timers2:{timers:0}:sleepers:settings"
        RedisServer.start {}.use { redis ->
            val directory = Files.createTempDirectory("waking")
            val workers = List(3) {
                ChildJvm.start(
                    "io.signalbox.timers.processes.WorkerProcessKt",
                    arguments = listOf(redis.uri, "waking", "$directory/journal-$it"),
                    jvmOptions = listOf("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
                )
            }
            fun runs() = (0 until 3).map { directory.resolve("journal-$it") }.filter { it.exists() }.flatMap { it.readLines() }
            val signalbox = Signalbox.connect(redis.uri) { namespace = "waking" }
            try {
                val names = workers.associateBy { it.awaitLine("ready", PATIENCE.toJavaDuration()).substringAfter("client=").take(8) }
                val timers = Timers(signalbox) { declare(Settings) }
                soon { redis.promises(sleepers) shouldHaveSize 3 }
                // Far enough ahead that its keeper is dead by then; if not, on a slow machine, all of this holds as well.
                timers.schedule(Settings, "a", Setting(1), after = 1.seconds)
                val (keeper, deputy) = redis.promises(sleepers)
                val due = redis.command("ZSCORE", "waking:timers2:{timers:0}:due:settings", "a").toLongOrNull()?.let(Scores::millis)
                names.getValue(keeper.first.take(8)).kill()
                if (due != null && keeper.second <= due) deputy.second shouldBeLessThanOrEqual due + BOUND
                val run = soon { runs().minBy { it.substringAfterLast(' ').toLong() } }.split(' ')
                // Others look around by themselves, but not that soon.
                run[5].toLong() - run[2].toLong() shouldBeLessThan LEAST_SAFETY_CHECK - BOUND
            } finally {
                signalbox.closeAndJoin()
                workers.forEach { it.close() }
                directory.toFile().deleteRecursively()
            }
        }
    }

    test("idle workers send next to nothing, and a timer wakes one of them") {
        RedisServer.start {}.use { redis ->
            fun sent() =
                listOf("evalsha", "eval", "blpop", "lpop").sumOf {
                    Regex("cmdstat_$it:calls=(\\d+)").find(redis.command("INFO", "commandstats"))?.groupValues?.get(1)?.toLong() ?: 0
                }

            val scope = CoroutineScope(Dispatchers.Default)
            val clients = List(8) { Signalbox.connect(redis.uri) }
            try {
                val services = clients.map { client -> Timers(client) { on(Notes) {} } }
                services.forEach { scope.launch { it.run() } }
                services[0].schedule(Notes, "a", Note("x"), after = 50.milliseconds)
                soon { services[0].count(Notes) shouldBe 0 }
                // Until the last deputy has lain down again: nobody is to wake soon.
                soon {
                    val promises = redis.promises("signalbox:timers2:{timers:0}:sleepers:notes")
                    promises shouldHaveSize 8
                    promises[0].second shouldBeGreaterThan System.currentTimeMillis() + 4 * BOUND
                }
                val window = 5.seconds
                val before = sent()
                delay(window)
                (sent() - before).toDouble() / window.inWholeSeconds / clients.size shouldBeLessThanOrEqual 0.5
            } finally {
                scope.cancel()
                clients.forEach { it.closeAndJoin() }
            }
        }
    }
})
