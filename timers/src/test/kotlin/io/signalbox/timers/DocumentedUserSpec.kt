package io.signalbox.timers

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.Durability
import io.signalbox.InitStrategy
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.StoreUnavailableException
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.closing.Words
import io.signalbox.withLock
import io.signalbox.withPermit
import java.nio.file.Path
import kotlin.io.path.readText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** The users of `docs/operations.md`, as they stand there, can do everything that is said of them. */
class DocumentedUserSpec : FunSpec({
    val users =
        Regex("```\\n(ACL SETUSER signalbox[^`]+)```").findAll(Path.of("../docs/operations.md").readText())
            .map { it.groupValues[1].trim().split(Regex("\\s+")) }.toList()

    suspend fun asUser(
        rights: List<String>,
        database: Int,
        configure: SignalboxSettings.() -> Unit = {},
        use: suspend (Signalbox) -> Unit,
    ) = RedisServer.start().use { redis ->
        redis.command(*rights.toTypedArray())
        val client = Signalbox.connect("${redis.uriFor("signalbox", "password")}/$database") { configure() }
        use(client)
        client.closeAndJoin()
        // Nothing was asked for that this user may not, not even what would have been tolerated.
        redis.command("ACL", "LOG").lines().filter { "client|" !in it && it.startsWith("cmd") }.shouldBeEmpty()
    }

    for (database in listOf(0, 1)) {
        test("with scripts: semaphores, mutexes, events, statistics and timers, in database $database") {
            asUser(users[0], database) { client ->
                client.semaphore("s", permits = 2) {
                    bounded = false
                    maxHold = 1.hours
                }.run {
                    withPermit(permits = 2) { it.extend(2.hours) shouldBe true }
                    resize(3)
                    addPermits(1) shouldBe 4
                    snapshot().permits shouldBe 4
                    redeclare(5)
                    permits() shouldBe 5
                    availablePermits() shouldBe 5
                }
                client.mutex("m").withLock { client.mutex("m").tryLock() shouldBe null }
                client.event("e") { signalTtl = 1.hours }.run {
                    set()
                    isSet() shouldBe true
                    await()
                    set()
                    clear() shouldBe 1
                }
                everyOrder(client)
                client.ping() shouldBeGreaterThan Duration.ZERO
                // Put into the list of names by somebody who waits for nothing.
                eventually(30.seconds) { client.statistics().map { it.name to it.permits } shouldContain ("s" to 5) }
                client.statistics(listOf("s")).single().permits shouldBe 5
                everyTimer(client)
            }
        }
    }

    test("with +wait: acquires that wait for replicas") {
        asUser(users[0] + "+wait", 0, { durability = Durability.replicated(1, timeout = 100.milliseconds) }) { client ->
            // There is none, which the server only says to whoever may ask.
            shouldThrow<StoreUnavailableException> { client.mutex("m").lock() }.message shouldContain "0 of 1 replicas"
        }
    }

    test("without scripts: pools, of both strategies that need none") {
        asUser(users[1], 0) { client ->
            for (strategy in listOf(InitStrategy.SETNX, InitStrategy.OPTIMISTIC_LOCKING)) {
                client.semaphore("p-$strategy", permits = 2) {
                    algorithm = SemaphoreAlgorithm.Pool(strategy)
                    bounded = false
                    maxHold = 1.hours
                }.run {
                    withPermit(permits = 2) {
                        it.extend(2.hours) shouldBe true
                        tryAcquire() shouldBe null
                        tryAcquire(timeout = 50.milliseconds) shouldBe null
                    }
                    resize(3)
                    addPermits(1) shouldBe 4
                    redeclare(5)
                    permits() shouldBe 5
                    snapshot().permits shouldBe 5
                    isLocked() shouldBe false
                }
            }
            client.ping() shouldBeGreaterThan Duration.ZERO
            eventually(30.seconds) { client.statistics().size shouldBe 2 }
        }
    }

    test("with +eval: pools that are created by a script") {
        asUser(users[1] + "+eval", 0) { client ->
            val pool = client.semaphore("p", permits = 2) { algorithm = SemaphoreAlgorithm.Pool(InitStrategy.LUA) }
            pool.withPermit { it.permits shouldBe 1 }
        }
    }
})

/** What an operator does by hand. */
private suspend fun everyOrder(client: Signalbox) {
    val semaphore = client.semaphore("o", permits = 1)
    val permit = semaphore.acquire()
    semaphore.revoke(permit.fencingToken) shouldBe true
    permit.isLost shouldBe true
    semaphore.delete() shouldBe true
    val mutex = client.mutex("o")
    mutex.lock()
    mutex.owner()!!.permits shouldBe 1
    mutex.delete() shouldBe true
    client.event("o").run {
        set()
        delete() shouldBe true
    }
}

/** Every call of timers, and a worker with retries, recurrence and dead timers. */
private suspend fun everyTimer(client: Signalbox) {
    val timers =
        Timers(client) {
            on(Words, { attempts = 1 }) { word -> check(word != "bad") }
        }
    timers.schedule(Words, "a", "good", after = Duration.ZERO)
    timers.schedule(Words, "b", "bad", after = Duration.ZERO)
    timers.scheduleAll(Words, List(3) { NewTimer("n$it", "good", 1.hours) })
    timers.scheduleRecurring(Words, "r", "good", Recurrence.fixedRate(1.milliseconds)) shouldBe true
    val handled = timers.handleReady()
    handled.dead shouldBe 1
    timers.deadTimers().timers.map { it.id } shouldBe listOf("b")
    timers.requeue("words", "b") shouldBe true
    timers.handleReady()
    timers.discard("words", "b") shouldBe true
    timers.pause(Words, "n0") shouldBe true
    timers.resume(Words, "n0") shouldBe true
    timers.runNow(Words, "n0") shouldBe true
    timers.cancel(Words, "n1") shouldBe true
    timers.pauseTopic(Words) shouldBe true
    timers.pausedTopics() shouldBe setOf("words")
    timers.resumeTopic(Words) shouldBe true
    timers.list(Words, limit = 10)
    timers.listPaused(Words)
    timers.count(Words)
    timers.countPaused(Words)
    timers.get(Words, "r")
    timers.now()
}
