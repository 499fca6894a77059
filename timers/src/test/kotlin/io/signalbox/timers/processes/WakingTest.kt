package io.signalbox.timers.processes

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.doubles.shouldBeLessThanOrEqual
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.signalbox.Signalbox
import io.signalbox.testkit.ChildJvm
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.Timers
import io.signalbox.timers.behaviour.Note
import io.signalbox.timers.behaviour.Notes
import java.nio.file.Files
import kotlin.io.path.exists
import kotlin.io.path.readLines
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

private const val SLEEPERS = "waking:timers:{timers:0}:sleepers:settings"

/** Who wakes, and who does not. */
class WakingTest : FunSpec({
    test("if the worker is killed that was to wake for a timer, the timer is late by the bound at most") {
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
                val names = workers.associateBy { it.awaitLine("ready").substringAfter("client=").take(8) }
                val timers = Timers(signalbox) { declare(Settings) }
                eventually(20.seconds) { redis.command("ZCARD", SLEEPERS) shouldBe "3" }
                timers.schedule(Settings, "a", Setting(1), after = 1.seconds)
                val keeper = redis.command("ZRANGE", SLEEPERS, "0", "0").take(8)
                names.getValue(keeper).kill()
                val (due, _, _, at) = eventually(20.seconds) { runs().single() }.split(' ').drop(2).map { it.toLong() }
                // The bound of 2 s, and what a busy machine adds.
                (at - due) shouldBeLessThan 4_500
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
                eventually(10.seconds) { check(services[0].count(Notes) == 0L) }
                // Until the last deputy has lain down again.
                delay(4.seconds)
                val before = sent()
                delay(6.seconds)
                ((sent() - before) / 6.0 / clients.size) shouldBeLessThanOrEqual 0.5
            } finally {
                scope.cancel()
                clients.forEach { it.closeAndJoin() }
            }
        }
    }
})
