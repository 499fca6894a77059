package io.signalbox

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisClient
import io.signalbox.behaviour.PATIENCE
import io.signalbox.behaviour.awaitQueue
import io.signalbox.behaviour.freshNamespace
import io.signalbox.behaviour.keysOf
import io.signalbox.testkit.RedisServer
import java.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch

/** No key stays on the server for ever: neither of a client that says goodbye nor of one that does not. */
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
            val clients = List(2) { Signalbox.connect(RedisServer.shared().uri) { brief(namespace) } }
            clients.useEveryKey()
            keysOf(namespace).forEach { key ->
                withClue(key) { timeToLive(key).shouldBeGreaterThan(0).shouldBeLessThanOrEqual(3.seconds.inWholeMilliseconds) }
            }
            clients.forEach { it.closeAndJoin() }
            eventually(PATIENCE) { keysOf(namespace).shouldBeEmpty() }
        }

        test("a client that dies in the queue leaves nothing behind, its inbox with unread grants included, $mode") {
            val namespace = freshNamespace()
            val lettuce = RedisClient.create(RedisServer.shared().uri)
            val mortal = Signalbox(lettuce) { brief(namespace) }.semaphore("api", permits = 2)
            val survivor = Signalbox.connect(RedisServer.shared().uri) { brief(namespace) }
            val semaphore = survivor.semaphore("api", permits = 2)
            val holder = semaphore.acquire(permits = 2)
            coroutineScope {
                val waiting = List(2) { launched { mortal.acquire() } }
                semaphore.awaitQueue(2)
                lettuce.shutdown(Duration.ZERO, Duration.ofSeconds(2))
                holder.release()
                // Until the dead client's session is over.
                semaphore.acquire(permits = 2).release() shouldBe true
                waiting.forEach { it.cancelAndJoin() }
            }
            survivor.closeAndJoin()
            eventually(PATIENCE) { keysOf(namespace).shouldBeEmpty() }
        }
    }

    test("the largest retention of all clients counts, and none shortens it") {
        val namespace = freshNamespace()
        val lasting = Signalbox.connect(RedisServer.shared().uri) {
            this.namespace = namespace
            retention = 100.days
        }
        val brief = Signalbox.connect(RedisServer.shared().uri) {
            this.namespace = namespace
            retention = 1.seconds
        }
        lasting.semaphore("api", permits = 2).acquire()
        listOf(lasting, brief).useEveryKey()
        brief.closeAndJoin()
        keysOf(namespace).filter { "{api}" in it }.forEach { key ->
            withClue(key) { timeToLive(key) shouldBeGreaterThan 99.days.inWholeMilliseconds }
        }
        lasting.closeAndJoin()
        keysOf(namespace).forEach { RedisServer.shared().command("DEL", it) }
    }
})

/** Holders, limited holds and waiters that come and go, with grants to queued waiters of another client. */
private suspend fun List<Signalbox>.useEveryKey() {
    val (here, there) = map { it.semaphore("api", permits = 2) }
    val limited = first().semaphore("limited", permits = 1) { maxHold = 10.minutes }
    limited.acquire()
    coroutineScope {
        while (here.availablePermits() > 0) here.acquire()
        here.resize(4)
        val holder = here.acquire(permits = 2)
        val served = launched { there.acquire() }
        here.awaitQueue(1)
        val waiting = launched { there.acquire(permits = 3) }
        here.awaitQueue(2)
        holder.release()
        served.join()
        here.snapshot().queueLength shouldBe 1
        waiting.cancelAndJoin()
    }
}

private fun CoroutineScope.launched(block: suspend () -> Unit) = launch(start = CoroutineStart.UNDISPATCHED) { block() }

/** In milliseconds; -1 for ever. */
private fun timeToLive(key: String): Long = RedisServer.shared().command("PTTL", key).toLong().let { if (it == -2L) 1 else it }
