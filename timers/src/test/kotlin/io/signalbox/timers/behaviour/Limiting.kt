package io.signalbox.timers.behaviour

import ch.qos.logback.classic.Level
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.logging.logged
import io.signalbox.timers.NewTimer
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.yield

/** Counts how many are inside at the same time, at most. */
private class Gauge {
    private val inside = AtomicInteger()
    private val most = AtomicInteger()
    val peak: Int get() = most.get()

    suspend fun <T> within(block: suspend () -> T): T {
        most.accumulateAndGet(inside.incrementAndGet(), ::maxOf)
        repeat(20) { yield() }
        return try {
            block()
        } finally {
            inside.decrementAndGet()
        }
    }
}

/** How many handlers run at a time. */
fun TimersBehaviour.limiting() {
    behaviour("a worker runs no more handlers than its concurrency") {
        val gauge = Gauge()
        val timers = service {
            concurrency = 3
            on(Notes) { gauge.within { note(it) } }
        }
        timers.scheduleAll(Notes, List(60) { NewTimer("$it", Note("x"), Duration.ZERO) })
        timers.start()
        repeat(60) { log.next() }
        gauge.peak shouldBeLessThanOrEqual 3
    }

    behaviour("a topic has its own limit, and keeps others waiting for nothing") {
        val gate = CompletableDeferred<Unit>()
        val gauge = Gauge()
        val timers = service {
            on(Notes, { concurrency = 2 }) {
                gauge.within {
                    note(it)
                    gate.await()
                }
            }
            on(Others, handler = { note(it) })
        }
        timers.scheduleAll(Notes, List(10) { NewTimer("$it", Note("slow"), Duration.ZERO) })
        timers.start()
        repeat(2) { log.next().text shouldBe "slow" }
        timers.scheduleAll(Others, List(20) { NewTimer("$it", Note("quick"), Duration.ZERO) })
        repeat(20) { log.next().text shouldBe "quick" }
        gate.complete(Unit)
        repeat(8) { log.next().text shouldBe "slow" }
        gauge.peak shouldBeLessThanOrEqual 2
    }

    behaviour("what one worker's topic limit leaves, another worker takes at once") {
        val gate = CompletableDeferred<Unit>()
        val workers = List(3) {
            service {
                on(Notes, { concurrency = 1 }) {
                    note(it)
                    gate.await()
                }
            }
        }
        workers.forEach { it.start() }
        workers[0].scheduleAll(Notes, List(4) { NewTimer("$it", Note("x"), SOON) })
        repeat(3) { log.next() }
        log.nothingMore()
        gate.complete(Unit)
        log.next()
    }

    behaviour("a semaphore limits a topic across processes") {
        val gauge = Gauge()
        val workers = List(3) {
            val client = client()
            val permits = client.semaphore("handlers", permits = 2)
            service(client) {
                on(Notes, { semaphore = permits }) { gauge.within { note(it) } }
                on(Others, handler = { note(it) })
            }
        }
        workers.forEach { it.start() }
        workers[0].scheduleAll(Notes, List(60) { NewTimer("$it", Note("x"), (it % 10).milliseconds) })
        workers[0].scheduleAll(Others, List(10) { NewTimer("$it", Note("free"), Duration.ZERO) })
        repeat(70) { log.next() }
        gauge.peak shouldBeLessThanOrEqual 2
        soon { workers[0].count(Notes) shouldBe 0 }
        val permits = client().attach("handlers")
        soon { permits.availablePermits() shouldBe 2 }
    }

    behaviour("a pass takes permits too, and gives them back") {
        val client = client()
        val permits = client.semaphore("handlers", permits = 1)
        val timers = service(client) { on(Notes, { semaphore = permits }) { note(it) } }
        timers.scheduleAll(Notes, List(5) { NewTimer("$it", Note("x"), Duration.ZERO) })
        soon {
            timers.handleReady()
            timers.count(Notes) shouldBe 0
        }
        repeat(5) { log.next() }
        soon { permits.availablePermits() shouldBe 1 }
    }

    behaviour("a topic whose semaphore's client is closed is left to others, and keeps nobody busy") {
        val limiting = client()
        val limit = limiting.semaphore("limit", 1)
        val timers = service {
            on(Notes, { semaphore = limit }) { note(it) }
            on(Others, handler = { note(it) })
        }
        limiting.closeAndJoin()
        val lines =
            logged(Level.ERROR) {
                timers.start()
                timers.schedule(Notes, "limited", Note("x"), after = Duration.ZERO)
                repeat(20) {
                    timers.schedule(Others, "$it", Note("x"), after = Duration.ZERO)
                    log.next().id shouldBe "$it"
                }
            }
        lines.count { it.startsWith("ERROR Lane: ") && "'notes'" in it } shouldBe 1
        notes().start()
        log.next().id shouldBe "limited"
    }

    behaviour("an acquire timeout of the semaphore does not end the wait for its permits") {
        val limit = client().semaphore("limit", 1) { acquireTimeout = 5.milliseconds }
        val held = client().semaphore("limit", 1).acquire()
        val timers = service { on(Notes, { semaphore = limit }) { note(it) } }
        timers.start()
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        soon { limit.snapshot().queueLength shouldBe 1 }
        held.release()
        log.next().id shouldBe "a"
    }
}
