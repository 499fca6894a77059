package io.signalbox.examples.demo.semaphore

import io.signalbox.LeaseLostException
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.use
import kotlin.concurrent.thread
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.channels.ReceiveChannel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.serialization.json.Json

/** The orders that follow the [Briefing] on a worker's standard input. */
internal object Order {
    const val START = "start"
    const val STOP = "stop"
}

/** One of the processes that compete: acquires, writes to the register, holds on for a while, gives back, and again. */
private class Worker(private val briefing: Briefing, private val semaphore: Semaphore, private val register: FencedRegister) {
    suspend fun compete() {
        while (true) {
            try {
                takeTurn()
            } catch (_: LeaseLostException) {
                // Reported when it happened. The next turn gets a permit of its own.
            }
            delay(Random.nextLong(MAX_PAUSE_MILLIS).milliseconds)
        }
    }

    private suspend fun takeTurn() {
        val askedAt = System.nanoTime()
        val permit = semaphore.tryAcquire() ?: waitForPermit()
        permit.use {
            try {
                report(Holds(System.nanoTime(), askedAt, permit.fencingToken, permit.holdersAtGrant))
                val answer = register.write(permit.fencingToken, "worker ${briefing.number}")
                report(Writes(System.nanoTime(), answer))
                delay(Random.nextLong(briefing.shortestHoldMillis, briefing.longestHoldMillis).milliseconds)
            } finally {
                report(LetsGo(System.nanoTime(), permit.fencingToken, permit.isLost))
            }
        }
    }

    private suspend fun waitForPermit(): Permit {
        report(Waits(System.nanoTime()))
        return semaphore.acquire()
    }

    private companion object {
        const val MAX_PAUSE_MILLIS = 200L
    }
}

suspend fun main(): Unit = coroutineScope {
    val briefing = Json.decodeFromString<Briefing>(readln())
    val orders = ordersFromParent(briefing)

    val access = Access.to(briefing.redisUri, briefing.isCluster)
    val register = FencedRegister(access.commands, briefing.run)
    val signalbox = access.signalbox {
        lease = briefing.leaseMillis.milliseconds
        retention = briefing.retentionMillis.milliseconds
        label = "${briefing.number}"
    }
    val worker = Worker(briefing, signalbox.semaphore(briefing.run, briefing.permits), register)
    val work = launch(start = CoroutineStart.LAZY) { worker.compete() }
    report(Ready(System.nanoTime()))

    for (order in orders) {
        if (order == Order.START) work.start()
        if (order == Order.STOP) break
    }
    work.cancelAndJoin()
    signalbox.closeAndJoin()
    access.close()
}

/** The lines on standard input. When it ends the parent is dead, and this process has no reason to live on. */
private fun ordersFromParent(briefing: Briefing): ReceiveChannel<String> {
    val orders = Channel<String>(Channel.UNLIMITED)
    thread(isDaemon = true, name = "orders") {
        generateSequence(::readlnOrNull).forEach(orders::trySend)
        briefing.redisPids.forEach { pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroy) }
        Runtime.getRuntime().halt(1)
    }
    return orders
}

private fun report(report: Report) = println(report.toLine())
