package io.signalbox.quorum

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.concurrency.TestExecutionMode
import io.kotest.matchers.booleans.shouldBeFalse
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.StoreUnavailableException
import io.signalbox.quorum.internal.master.Handed
import io.signalbox.testkit.FaultProxy
import io.signalbox.testkit.RedisServer
import io.signalbox.testkit.ServerClock
import java.nio.file.Path
import kotlin.io.path.isExecutable
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeout

/** What becomes of holders and waiters when real masters fail. They mostly wait for leases to end, so they run at the same time. */
class MasterFaultsSpec : FunSpec({
    testExecutionMode = TestExecutionMode.LimitedConcurrency(4)

    suspend fun masters(
        lease: Duration = 2.seconds,
        block: suspend (Masters) -> Unit,
    ) = Masters(lease = lease).use { block(it) }

    test("one is killed while a permit is held: it stays held, and nobody else gets it") {
        masters { masters ->
            val permit = masters.connect().mutex("m").lock()
            val other = masters.connect().mutex("m")
            masters[0].kill()
            delay(masters.lease * 1.5)
            permit.isLost.shouldBeFalse()
            other.tryLock().shouldBeNull()
            permit.release().shouldBeTrue()
            other.lock().release().shouldBeTrue()
        }
    }

    test("one is killed while somebody waits: who waits is granted what is released") {
        masters { masters ->
            val permit = masters.connect().mutex("m").lock()
            val other = masters.connect().mutex("m")
            coroutineScope {
                val waiting = async { other.lock() }
                eventually(5.seconds) { other.snapshot().waiting shouldBe 1 }
                masters[1].kill()
                permit.release().shouldBeTrue()
                withTimeout(5.seconds) { waiting.await() }.release().shouldBeTrue()
            }
        }
    }

    test("one after the other comes back empty: none votes too soon, and the holder puts itself back") {
        masters { masters ->
            val permit = masters.connect().mutex("m").lock()
            for (server in masters.servers) {
                server.kill()
                server.restart()
                val late = masters.connect().mutex("m")
                late.tryLock().shouldBeNull()
                eventually(5.seconds) { server.command("HLEN", "${masters.namespace}:quorum1:mutex:{m}:slots") shouldBe "1" }
                late.snapshot().masters.count { it.quarantine > Duration.ZERO } shouldBe masters.servers.indexOf(server) + 1
            }
            permit.isLost.shouldBeFalse()
            permit.release().shouldBeTrue()
            withTimeout(10.seconds) { masters.connect().mutex("m").lock() }.release()
        }
    }

    test("FLUSHALL is a loss of data as well") {
        masters { masters ->
            val permit = masters.connect().mutex("m").lock()
            masters.servers.forEach { it.command("FLUSHALL") }
            val late = masters.connect().mutex("m")
            late.tryLock().shouldBeNull()
            delay(masters.lease * 1.2)
            late.tryLock().shouldBeNull()
            permit.release().shouldBeTrue()
            late.lock().release()
        }
    }

    test("one that comes back with its data may have lost the last of them: it does not vote either") {
        val servers = List(3) { RedisServer.start { appendOnly() } }
        Masters(lease = 2.seconds, servers = servers).use { masters ->
            val mutex = masters.connect().mutex("m")
            mutex.lock().release().shouldBeTrue()
            servers[0].kill()
            servers[0].restart()
            servers[0].command("HGET", "${masters.namespace}:quorum1:born", "at") shouldBe "1"
            val late = masters.connect().mutex("m")
            late.snapshot().masters.map { it.quarantine > Duration.ZERO } shouldBe listOf(true, false, false)
            late.lock().release().shouldBeTrue()
        }
    }

    test("one is frozen: neither acquire nor release waits for it") {
        masters(30.seconds) { masters ->
            val mutex = masters.connect().mutex("m")
            mutex.lock().release()
            masters[2].freeze()
            // Once would be a sixth of the lease.
            measureTime { repeat(20) { mutex.lock().release().shouldBeTrue() } } shouldBeLessThan 15.seconds
            masters[2].thaw()
            val other = masters.connect().mutex("m")
            val permit = mutex.lock()
            other.tryLock().shouldBeNull()
            permit.release()
            other.lock().release().shouldBeTrue()
        }
    }

    test("one is frozen for longer than a lease while a permit is held: it stays held until it is released") {
        masters { masters ->
            val permit = masters.connect().mutex("m").lock()
            val other = masters.connect().mutex("m")
            masters[0].freeze()
            delay(masters.lease * 1.5)
            permit.isLost.shouldBeFalse()
            other.tryLock().shouldBeNull()
            masters[0].thaw()
            // Its own vote has lapsed meanwhile; whoever asks now must not get it together with another.
            other.tryLock().shouldBeNull()
            delay(masters.lease * 1.5)
            permit.isLost.shouldBeFalse()
            permit.release().shouldBeTrue()
            withTimeout(10.seconds) { other.lock() }.release().shouldBeTrue()
        }
    }

    test("two of five are killed while a permit is held: it stays held, and nobody else gets it") {
        Masters(count = 5).use { masters ->
            val permit = masters.connect().mutex("m").lock()
            val other = masters.connect().mutex("m")
            masters[0].kill()
            masters[3].kill()
            delay(masters.lease * 1.5)
            permit.isLost.shouldBeFalse()
            other.tryLock().shouldBeNull()
            permit.release().shouldBeTrue()
            withTimeout(10.seconds) { other.lock() }.release().shouldBeTrue()
        }
    }

    for (bendsMonotonic in listOf(false, true)) {
        val clocks = if (bendsMonotonic) "both clocks of one leap" else "the clock of one leaps"
        test("$clocks ahead by an hour while a permit is held: it stays held, and nobody else gets it") {
            val clock = bentClock(bendsMonotonic) ?: return@test
            clock.use {
                val servers = listOf(RedisServer.start { binary(clock.program) }) + List(2) { RedisServer.start() }
                Masters(lease = 3.seconds, servers = servers).use { masters ->
                    val permit = masters.connect().mutex("m").lock()
                    val other = masters.connect().mutex("m")
                    coroutineScope {
                        val waiting = async { other.lock() }
                        eventually(5.seconds) { other.snapshot().waiting shouldBe 1 }
                        clock.secondsAhead = 3600.0
                        (timeOf(masters[0]) - timeOf(masters[1]) > 3500).shouldBeTrue()
                        masters.connect().mutex("m").tryLock().shouldBeNull()
                        delay(masters.lease * 1.5)
                        permit.isLost.shouldBeFalse()
                        waiting.isActive.shouldBeTrue()
                        permit.release().shouldBeTrue()
                        withTimeout(10.seconds) { waiting.await() }.release().shouldBeTrue()
                    }
                }
            }
        }
    }

    test("one is cut off from one client only: both go on, and exclude each other") {
        masters { masters ->
            FaultProxy(masters[0]).use { proxy ->
                val uris = listOf("redis://${proxy.host}:${proxy.port}") + masters.servers.drop(1).map { it.uri }
                val near = masters.connect(uris).mutex("m")
                val far = masters.connect().mutex("m")
                near.lock().release()
                proxy.stall()
                repeat(3) {
                    val permit = near.lock()
                    far.tryLock().shouldBeNull()
                    permit.release().shouldBeTrue()
                    far.withLock { near.tryLock().shouldBeNull() }
                }
                val permit = near.lock()
                delay(masters.lease * 1.5)
                permit.isLost.shouldBeFalse()
                far.tryLock().shouldBeNull()
                permit.release()
                proxy.resume()
            }
        }
    }

    test("lines in an inbox that tell nothing are passed over, and who waits is granted what is released") {
        for (line in listOf("", "x", "bid 1 2 3", "bid one 2 3 4", "bid 1 two 3 4", "bid 1 2 3 99999999999", "bid 1 2 3 4 5")) {
            Handed.read(line).shouldBeNull()
        }
        Handed.read("bid 1 2 3 4")!!.run { listOf(slot, held) to listOf(number, fence) } shouldBe (listOf(1, 4) to listOf(2L, 3L))
        masters(30.seconds) { masters ->
            val permit = masters.connect().mutex("m").lock()
            val mutex = masters.connect().mutex("m")
            coroutineScope {
                val waiting = async { mutex.lock() }
                eventually(5.seconds) { mutex.snapshot().waiting shouldBe 1 }
                for (server in masters.servers) {
                    fun blocked() = server.command("CLIENT", "LIST").lines().filter { "cmd=blpop" in it }.map { it.substringBefore(' ') }
                    // Both have asked for a place.
                    eventually(5.seconds) { blocked().size shouldBe 2 }
                    val before = blocked()
                    val words = server.command("HVALS", "${masters.namespace}:quorum1:mutex:{m}:waiters").split('\n', '\u0001')
                    val at = words.indexOfFirst { ":inbox:" in it }
                    for (line in listOf("a one 1 1 1", "a", "a 1 1 1 one")) server.command("RPUSH", words[at], "${words[at - 1]} $line")
                    eventually(5.seconds) { server.command("EXISTS", words[at]) shouldBe "0" }
                    // Whoever cannot read his lines would have another connection by now, or soon.
                    eventually(5.seconds) { blocked() shouldBe before }
                }
                permit.release().shouldBeTrue()
                withTimeout(10.seconds) { waiting.await() }.release().shouldBeTrue()
            }
        }
    }

    test("two of three are down: a clear error in bounded time, and all is well when one returns") {
        masters { masters ->
            val holder = masters.connect { storeTimeout = 3.seconds }.mutex("m")
            val mutex = masters.connect().mutex("m")
            val permit = holder.lock()
            coroutineScope {
                val waiting = async { mutex.lock() }
                eventually(5.seconds) { mutex.snapshot().waiting shouldBe 1 }
                masters[0].kill()
                masters[1].kill()
                val time =
                    measureTime {
                        val error = shouldThrow<StoreUnavailableException> { masters.connect { storeTimeout = 3.seconds }.mutex("other") }
                        error.message shouldContain "Of 3 masters 2 must answer"
                        error.message shouldContain "${masters[0].port}"
                    }
                time shouldBeLessThan 10.seconds
                val error = shouldThrow<StoreUnavailableException> { holder.tryLock(1.seconds) }
                error.message shouldContain "${masters[1].port}"
                eventually(5.seconds) { permit.isLost.shouldBeTrue() }
                masters[1].restart()
                withTimeout(20.seconds) { waiting.await() }.release().shouldBeTrue()
            }
            masters.connect().mutex("m").tryLock().shouldNotBeNull().release()
        }
    }
})

private fun timeOf(server: RedisServer): Long = server.command("TIME").lines().first().toLong()

/**
 * A server's clock that can be set, of the first server that goes by one: what the environment or the `PATH` names, or what `bin/servers`
 * has fetched. Null, and says so, where there is none.
 */
private fun bentClock(bendsMonotonic: Boolean): ServerClock? {
    val fetched = Path.of(System.getenv("SIGNALBOX_SERVERS") ?: "../.servers").toFile().listFiles().orEmpty().sorted()
    val programs = listOf(null) + fetched.map { it.toPath().resolve("server") }.filter { it.isExecutable() }
    val reasons = LinkedHashSet<String>()
    val clock = programs.firstNotNullOfOrNull { program -> ServerClock.of(program, bendsMonotonic) { reasons += it } }
    if (clock == null) println("did not run: a master whose clock leaps: ${reasons.joinToString("; ")}")
    return clock
}
