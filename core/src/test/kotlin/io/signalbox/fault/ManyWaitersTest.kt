package io.signalbox.fault

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.signalbox.event.awaitWaiting
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.launch

class ManyWaitersTest : FunSpec({
    timeout = 240.seconds.inWholeMilliseconds

    test("10 000 coroutines wait over two connections, and are served in the order in which they came") {
        onStage {
            val count = 10_000
            val semaphore = client(lease = 10.seconds).semaphore("many", 1)
            val holder = semaphore.acquire()
            val served = ConcurrentLinkedQueue<Int>()
            val waiters =
                List(count) { index ->
                    // Undispatched: each has asked before the next one starts.
                    launch(start = CoroutineStart.UNDISPATCHED) {
                        val permit = semaphore.acquire()
                        served += index
                        permit.release()
                    }
                }
            stored("many").awaitQueued(count)
            redis.awaitBlockingClient()

            // The one that asks is on the list as well.
            redis.command("CLIENT", "LIST").lines().filter { "id=" in it && "cmd=client" !in it } shouldHaveSize 2
            holder.release() shouldBe true
            waiters.forEach { it.join() }

            served.toList() shouldContainExactly List(count) { it }
            stored("many").awaitNothing()
        }
    }

    test("5 000 coroutines await ten events over the same two connections, and each signal ends one of them") {
        onStage {
            val client = client(lease = 10.seconds)
            val events = List(10) { client.event("event $it") }
            val waiters = events.flatMap { event -> List(500) { launch { event.await() } } }
            events.forEach { it.awaitWaiting(500) }
            redis.awaitBlockingClient()

            redis.command("CLIENT", "LIST").lines().filter { "id=" in it && "cmd=client" !in it } shouldHaveSize 2
            events.forEach { event -> repeat(500) { launch { event.set() } } }
            waiters.forEach { it.join() }

            events.forEach { it.isSet() shouldBe false }
        }
    }
})
