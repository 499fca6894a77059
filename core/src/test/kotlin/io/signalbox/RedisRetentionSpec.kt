package io.signalbox

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.behaviour.Clients
import io.signalbox.behaviour.PATIENCE
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.freshNamespace
import io.signalbox.behaviour.keysOf
import io.signalbox.behaviour.withClients
import io.signalbox.testkit.FaultProxy
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Job
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin

/** No key stays on the server for ever: neither of a client that says goodbye nor of one that cannot. */
class RedisRetentionSpec : FunSpec({
    for (announceInScript in listOf(true, false)) {
        val mode = "announceInScript = $announceInScript"

        fun SignalboxSettings.brief(namespace: String) {
            this.namespace = namespace
            this.announceInScript = announceInScript
            lease = 1.seconds
            retention = 1.seconds
        }

        test("every key has a time to live, and one retention after the last client there is none, $mode") {
            val namespace = freshNamespace()
            withClients(Redis { brief(namespace) }.emptyStore()) {
                useEveryKey(client(), client())
                keysOf(namespace).forEach { key ->
                    withClue(key) { timeToLive(key).shouldBeGreaterThan(0).shouldBeLessThanOrEqual(3.seconds.inWholeMilliseconds) }
                }
            }
            eventually(PATIENCE) { keysOf(namespace).shouldBeEmpty() }
        }

        test("a client that is cut off in the queue leaves nothing behind, its inbox with unread grants included, $mode") {
            val namespace = freshNamespace()
            FaultProxy(RedisServer.shared()).use { proxy ->
                val cutOff = Redis("redis://${proxy.host}:${proxy.port}") {
                    brief(namespace)
                    lease = 2.seconds
                    // How long closing a client that is cut off takes.
                    storeTimeout = 3.seconds
                }
                withClients(cutOff.emptyStore()) {
                    val lost = semaphore(permits = 2)
                    withClients(Redis { brief(namespace) }.emptyStore()) {
                        val semaphore = client { lease = 2.seconds }.semaphore("api", permits = 2)
                        val holder = semaphore.acquire(permits = 2)
                        repeat(2) { start { lost.acquire() } }
                        eventually(PATIENCE) { semaphore.snapshot().queueLength shouldBeGreaterThanOrEqual 2 }
                        proxy.refuseConnections()
                        proxy.cut()
                        holder.release()
                        // Until the lost client's session is over.
                        semaphore.acquire(permits = 2).release() shouldBe true
                    }
                }
            }
            eventually(PATIENCE) { keysOf(namespace).shouldBeEmpty() }
        }
    }

    test("a batch that is released in part, and a queue that is served in part, keep their time to live") {
        val namespace = freshNamespace()
        withClients(Redis { this.namespace = namespace }.emptyStore()) {
            val semaphore = client { lease = 10.minutes }.semaphore("api", permits = 100)
            val other = client { lease = 10.minutes }.semaphore("api", permits = 100)
            val permits = List(50) { start { semaphore.acquire() } }.awaitAll() + List(25) { start { semaphore.acquire(permits = 2) } }.awaitAll()
            val waiters = List(60) { start { (if (it % 20 < 10) semaphore else other).acquire(if (it % 2 == 0) 2 else 1) } }
            eventually(PATIENCE) { semaphore.snapshot().queueLength shouldBe 60 }
            val (released, kept) = permits.withIndex().partition { it.index % 3 == 0 }

            released.forEach { it.value.release() shouldBe true }

            eventually(PATIENCE) { waiters.count { it.isCompleted } shouldBeGreaterThanOrEqual 15 }
            keysOf(namespace).filter { it.endsWith(":listed") || it.endsWith(":queue") }.also { it.size shouldBe 2 }.forEach { key ->
                withClue(key) { timeToLive(key).shouldBeGreaterThan(0) }
            }
            kept.forEach { it.value.release() shouldBe true }
            waiters.forEach { waiter -> start { waiter.await().release() shouldBe true } }
            waiters.awaitAll()
        }
        keysOf(namespace).forEach { RedisServer.shared().command("DEL", it) }
    }

    test("the largest retention of all clients counts, and none shortens it") {
        val namespace = freshNamespace()
        withClients(Redis { this.namespace = namespace }.emptyStore()) {
            val brief = client { retention = 1.seconds }
            useEveryKey(client { retention = 100.days }, brief)
            brief.closeAndJoin()
            keysOf(namespace).filter { "{api}" in it }.forEach { key ->
                withClue(key) { timeToLive(key) shouldBeGreaterThan 99.days.inWholeMilliseconds }
            }
        }
        keysOf(namespace).forEach { RedisServer.shared().command("DEL", it) }
    }
})

/** Holders, limited holds and waiters that come and go, with grants to queued waiters of another client. */
private suspend fun Clients.useEveryKey(
    first: Signalbox,
    second: Signalbox,
) {
    val here = first.semaphore("api", permits = 4)
    val there = second.semaphore("api", permits = 4)
    first.semaphore("limited", permits = 1) { maxHold = 10.minutes }.acquire()
    here.acquire(permits = 2)
    val holder = here.acquire(permits = 2)
    val served = start { there.acquire() }
    here.awaitQueued(served)
    val waiting = start { there.acquire(permits = 3) }
    here.awaitQueued(waiting)
    holder.release()
    served.await()
    waiting.cancelAndJoin()
}

/** Returns when somebody waits, as a rule [acquire]; or when it is granted, because the holders' short lease was over too soon. */
private suspend fun Semaphore.awaitQueued(acquire: Job) {
    eventually(PATIENCE) { (acquire.isCompleted || snapshot().queueLength > 0) shouldBe true }
}

/** In milliseconds; -1 for ever. */
private fun timeToLive(key: String): Long = RedisServer.shared().command("PTTL", key).toLong().let { if (it == -2L) 1 else it }
