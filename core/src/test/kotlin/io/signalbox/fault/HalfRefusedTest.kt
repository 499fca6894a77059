package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldBeIn
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.signalbox.ScriptNotPermittedException
import io.signalbox.Semaphore
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay

private const val PASSWORD = "correct-horse-battery"

/** A user to whom something is missing that a script needs late: nothing is counted that is not there, and nothing taken away twice. */
class HalfRefusedTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    for (missing in listOf("hdel", "zrem")) {
        test("without $missing: permits of the dead, by count and listed, and such whose hold is over") {
            onStage({ user("app", "on", ">$PASSWORD", "~*", "&*", "+@all") }) {
                val uri = redis.uriFor("app", PASSWORD)
                val other = client(uri, lease = 60.seconds).semaphore("half", 5)
                val doomed = client(uri.replace(":${redis.port}", ":${proxy.port}"), lease = 1.seconds).attach("half")
                val brief = client(uri, lease = 60.seconds).semaphore("half", 5) { maxHold = 1.seconds }
                doomed.acquire()
                doomed.acquire(permits = 2)
                val stays = other.acquire()
                brief.acquire()
                proxy.refuseConnections()
                proxy.cut()
                redis.command("ACL", "SETUSER", "app", "-$missing")
                // Over by now is what was to be over.
                delay(2.seconds)
                repeat(10) {
                    shouldThrow<ScriptNotPermittedException> { other.tryAcquire() }
                    stored("half").held shouldBeIn listOf(1, 5)
                }
                redis.command("ACL", "SETUSER", "app", "+$missing")

                val all = List(4) { other.acquire() }
                other.tryAcquire() shouldBe null
                stored("half").held shouldBe 5
                (all + stays).forEach { it.release() shouldBe true }
                stored("half").awaitNothing()
                stored("half").members("listed").shouldBeEmpty()
                stored("half").members("limits").shouldBeEmpty()
            }
        }
    }

    for (missing in listOf("pexpire", "hset", "zadd")) {
        test("a grant that is refused half-way, without $missing, is not counted when its hold is over or its session ends") {
            onStage({ user("app", "on", ">$PASSWORD", "~*", "&*", "+@all") }) {
                val uri = redis.uriFor("app", PASSWORD)
                val other = client(uri, lease = 2.seconds).semaphore("half", 5) { maxHold = 500.milliseconds }
                val doomed = client(uri.replace(":${redis.port}", ":${proxy.port}"), lease = 2.seconds).attach("half")
                doomed.acquire(permits = 2).release()
                redis.command("ACL", "SETUSER", "app", "-$missing")
                for (semaphore in listOf(other, doomed)) {
                    repeat(3) { shouldThrow<ScriptNotPermittedException> { semaphore.acquire(permits = 2) } }
                }
                proxy.refuseConnections()
                proxy.cut()
                redis.command("ACL", "SETUSER", "app", "+$missing")
                eventually(30.seconds) {
                    other.tryAcquire(5)?.release()
                    stored("half").run {
                        held shouldBe 0
                        members("sessions").size shouldBe 1
                        members("listed").shouldBeEmpty()
                        members("limits").shouldBeEmpty()
                    }
                }
                val all = List(5) { other.acquire() }
                stored("half").held shouldBe 5
                other.tryAcquire() shouldBe null
                all.forEach { it.release() }
                stored("half").awaitNothing()
            }
        }
    }

    for (missing in listOf("zrangebyscore", "zrem", "zadd", "hset", "pexpire")) {
        test("an exchange that is granted some permits with a limit and waits for others, refused without $missing") {
            onStage({ user("app", "on", ">$PASSWORD", "~*", "&*", "+@all") }) {
                val uri = redis.uriFor("app", PASSWORD)
                val semaphore = client(uri, lease = 60.seconds).semaphore("half", 3) { maxHold = 300.milliseconds }
                redis.command("ACL", "SETUSER", "app", "-$missing")
                // Those that leave first may all fit, and not need what is missing then; the rest leave together.
                val outcomes = coroutineScope { List(8) { async { runCatching { semaphore.acquire() } } }.awaitAll() }
                outcomes.count { it.exceptionOrNull() is ScriptNotPermittedException } shouldBeInRange 5..8
                redis.command("ACL", "SETUSER", "app", "+$missing")
                outcomes.forEach { it.getOrNull()?.release() }
                // What was told as refused may be said again, and given back at once. What nobody holds would stay, and count below zero in the end.
                eventually(30.seconds) {
                    stored("half").run {
                        held shouldBe 0
                        members("listed").shouldBeEmpty()
                        members("limits").shouldBeEmpty()
                        members("queue").shouldBeEmpty()
                    }
                }
                List(3) { semaphore.acquire() }.forEach { it.release() shouldBe true }
                stored("half").awaitNothing()
            }
        }
    }
})
