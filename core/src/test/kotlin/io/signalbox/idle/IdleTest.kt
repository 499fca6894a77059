package io.signalbox.idle

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.throwables.shouldThrowAny
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.doubles.shouldBeLessThan
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.InternalSignalboxApi
import io.signalbox.OnMismatch
import io.signalbox.Semaphore
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.SignalboxClosedException
import io.signalbox.SignalboxSettings
import io.signalbox.fault.Stage
import io.signalbox.fault.onStage
import io.signalbox.internal.BackendOwner
import io.signalbox.pool.awaitBlocked
import io.signalbox.withLock
import io.signalbox.withPermit
import java.lang.ref.WeakReference
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch

/** What a handle costs that nobody uses, and what is left of one that nobody has. */
@OptIn(InternalSignalboxApi::class)
class IdleTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("names that are used once leave nothing: no keys, no coroutine, no handle, nothing in the list of names") {
        onStage {
            val client = client(lease = 300.milliseconds) { brief() }
            val first = useOnce(client, 600)
            eventually(60.seconds) {
                System.gc()
                // Not the handles themselves: a failed assertion would keep them.
                first.all { it.get() == null } shouldBe true
                keys() shouldBeLessThan 5
                client.coroutines() shouldBeLessThan 10
            }
            // Idle, and nobody has a handle: at most a look at the names, once what the last of them had left is away.
            eventually(30.seconds) {
                val before = commands()
                (client.mutex("clock").withLock { it.fencingToken }) shouldBeGreaterThan 0
                commands() - before shouldBeLessThanOrEqual 60
            }
        }
    }

    test("an old process that rests and comes back does not undo what a newer one has declared") {
        onStage {
            val old = client(lease = 300.milliseconds) { brief() }.semaphore("deployed", permits = 2) { onMismatch = OnMismatch.RESIZE }
            old.acquire().release() shouldBe true
            // It rests once it has let its lease pass, which nobody notices as long as nobody asks.
            eventually(60.seconds) {
                val (seconds, micros) = redis.command("TIME").lines().map(String::toLong)
                stored("deployed").deadlines().single() shouldBeLessThan seconds * 1000.0 + micros / 1000
            }
            val new = client().semaphore("deployed", permits = 5) { onMismatch = OnMismatch.RESIZE }
            old.acquire(permits = 3).release() shouldBe true
            listOf(old, new).forEach { it.permits() shouldBe 5 }
            new.snapshot().declaredPermits shouldBe 5
        }
    }

    test("a handle that somebody has keeps its keys and its resized count, with one command for a hundred names") {
        onStage {
            val client = client(lease = 300.milliseconds) { brief() }
            val handles = List(250) { client.semaphore("kept-$it", permits = 1).apply { resize(3) } }
            eventually(60.seconds) { client.coroutines() shouldBeLessThan 10 }
            val evals = calls("evalsha")
            // Three retentions and more, by the server's clock: nothing is used in the meantime.
            awaitForgotten(4)
            val rounds = calls("evalsha") - evals
            // 3 commands for 250 names each third of a retention; the four others have been made and forgotten meanwhile.
            rounds shouldBeLessThanOrEqual 150
            handles.forEach { it.permits() shouldBe 3 }
            handles.first().withPermit { it.holdersAtGrant shouldBe 1 }
        }
    }

    test("pools that are used once leave nothing either, and one that rests costs no coroutine, no connection and no heartbeat") {
        onStage {
            val client = client(lease = 1.seconds) { retention = 3.seconds }
            val first = usePoolsOnce(client, 40)
            val kept = List(30) { client.pool("kept-$it").apply { resize(3) } }
            val usual = connections()
            // Waits, and so opens the pool's blocking connection.
            val contended = client.pool("contended")
            contended.acquire().let { held ->
                val waiter = launch { contended.acquire().release() }
                redis.awaitBlocked(1)
                held.release()
                waiter.join()
            }
            eventually(60.seconds) {
                System.gc()
                (first.get() == null) shouldBe true
                redis.command("KEYS", "*{once-*").trim() shouldBe ""
                client.coroutines() shouldBeLessThan 10
                // One that was opened beside another, by a pool that was begun at the same moment, is gone by now.
                (connections() <= usual) shouldBe true
            }
            val before = calls("exec") + calls("set")
            awaitForgotten(4)
            // The list of names of all of them, each third of a retention; nothing for each pool, and no lease.
            calls("exec") + calls("set") - before shouldBeLessThanOrEqual 40
            kept.forEach { it.permits() shouldBe 3 }
            kept.first().withPermit { it.holdersAtGrant shouldBe 1 }
            client.statistics(kept.map { it.name }).size shouldBe 30
        }
    }

    test("pools that rest are closed with their client, and what one holds is held, whoever has it") {
        onStage {
            val client = client(lease = 3.seconds)
            val resting = client.pool("resting")
            eventually(60.seconds) { client.coroutines() shouldBeLessThan 3 }
            val permit = client.pool("held").acquire()
            System.gc()
            client.pool("held").tryAcquire() shouldBe null
            client.closeAndJoin()
            permit.isLost shouldBe true
            shouldThrow<SignalboxClosedException> { resting.acquire() }
            val other = client()
            other.pool("held").acquire().release() shouldBe true
            other.pool("resting").acquire().release() shouldBe true
        }
    }

    test("calls that fail or are cancelled leave no coordinator") {
        onStage {
            val client = client(proxied, lease = 6.seconds) { storeTimeout = 300.milliseconds }
            client.mutex("there").withLock { }
            proxy.stall()
            repeat(8) {
                shouldThrowAny { client.semaphore("failed-$it", permits = 1) }
                shouldThrowAny { client.mutex("failed-$it") }
                shouldThrowAny { client.event("failed-$it") }
                shouldThrowAny { client.pool("failed-pool-$it") }
            }
            repeat(20) {
                launch { client.semaphore("cancelled-$it", permits = 1) }.run { cancelAndJoin() }
                launch { client.pool("cancelled-pool-$it") }.run { cancelAndJoin() }
            }
            proxy.resume()
            eventually(60.seconds) {
                System.gc()
                client.coroutines() shouldBeLessThan 10
                client.listeners() shouldBeLessThan 3
                client.usage().filter { "failed" in it.name || "cancelled" in it.name }.size shouldBe 0
            }
        }
    }

    test("what is held keeps its handle, whoever has it") {
        onStage {
            val client = client()
            val permit = client.semaphore("api", permits = 1).acquire()
            System.gc()
            val again = client.semaphore("api", permits = 1)
            again.tryAcquire() shouldBe null
            permit.release() shouldBe true
            again.acquire().release() shouldBe true
        }
    }
})

private fun SignalboxSettings.brief() {
    retention = 1.seconds
}

private suspend fun Signalbox.pool(name: String): Semaphore = semaphore(name, permits = 1) { algorithm = SemaphoreAlgorithm.Pool() }

private suspend fun usePoolsOnce(
    client: Signalbox,
    names: Int,
): WeakReference<Semaphore> {
    val first = client.pool("once-0").also { pool -> pool.withPermit { } }.let { WeakReference(it) }
    repeat(names) { client.pool("once-$it").withPermit { } }
    return first
}

/** Those of clients, besides the one that asks. */
private fun Stage.connections(): Int = redis.command("CLIENT", "LIST").lines().count { "cmd=client" !in it && it.isNotBlank() }

/** Semaphores, mutexes and events in turn; returns the first of each. */
private suspend fun useOnce(
    client: Signalbox,
    names: Int,
): List<WeakReference<*>> {
    val first = ArrayList<WeakReference<*>>()
    repeat(names) {
        val handle: Any =
            when (it % 3) {
                0 -> client.semaphore("once-$it", permits = 1).also { semaphore -> semaphore.withPermit { } }

                1 -> client.mutex("once-$it").also { mutex -> mutex.withLock { } }

                else -> client.event("once-$it").also { event ->
                    event.set()
                    event.await()
                }
            }
        if (it < 3) first += WeakReference(handle)
    }
    return first
}

private fun Stage.keys(): Int = redis.command("DBSIZE").toInt()

private fun Stage.commands(): Long =
    redis.command("INFO", "stats").lines().first { it.startsWith("total_commands_processed:") }.substringAfter(':').trim().toLong()

private fun Stage.calls(command: String): Long =
    redis.command("INFO", "commandstats").lines().firstOrNull { it.startsWith("cmdstat_$command:") }
        ?.substringAfter("calls=")?.substringBefore(',')?.toLong() ?: 0

/** Several retentions pass, by what the server has forgotten. */
private suspend fun Stage.awaitForgotten(times: Int) =
    repeat(times) {
        val other = client(lease = 300.milliseconds) { brief() }
        other.semaphore("passing-$it", permits = 1)
        other.closeAndJoin()
        eventually(60.seconds) { redis.command("EXISTS", "signalbox:sem:{passing-$it}:2:state") shouldBe "0" }
    }

@OptIn(InternalSignalboxApi::class)
private fun Signalbox.coroutines(): Int = (this as BackendOwner).backend.scope.coroutineContext[Job]!!.children.count()

@OptIn(InternalSignalboxApi::class)
private fun Signalbox.listeners(): Int {
    val store = (this as BackendOwner).backend.store as io.signalbox.internal.SignalboxBackend.Store.Redis
    return store.line.announcements.recipientCount
}
