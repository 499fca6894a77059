package io.signalbox.chaos.soak

import io.signalbox.InitStrategy
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.Timers
import io.signalbox.timers.rawTopic
import io.signalbox.withLock
import io.signalbox.withPermit
import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/** One client that stays, others that come and go, and all that they use, each thing under a name that is never used again. */
internal class Household(
    private val uri: String,
) : AutoCloseable {
    val names get() = nameCount.get()
    val timers get() = timerCount.get()
    val clients get() = clientCount.get()
    val operations get() = operationCount.get()

    private val nameCount = AtomicLong()
    private val timerCount = AtomicLong()
    private val clientCount = AtomicLong()
    private val operationCount = AtomicLong()
    private val topic = rawTopic("soak")
    private val scope = CoroutineScope(Dispatchers.Default + SupervisorJob())
    private val stays = connect()
    private val handled = Timers(stays) { on(topic) { operationCount.incrementAndGet() } }

    init {
        scope.launch { handled.run() }
    }

    private fun connect(): Signalbox =
        Signalbox.connect(uri) {
            lease = 1.seconds
            retention = 3.seconds
        }

    suspend fun live(length: Duration) =
        coroutineScope {
            val start = TimeSource.Monotonic.markNow()
            List(WORKERS) {
                launch(Dispatchers.Default) {
                    var passing: Signalbox? = null
                    var rounds = 0
                    while (start.elapsedNow() < length) {
                        if (rounds++ % ROUNDS_OF_A_CLIENT == 0) {
                            passing?.closeAndJoin()
                            passing = connect()
                            clientCount.incrementAndGet()
                        }
                        round(if (rounds % 2 == 0) stays else passing!!)
                        delay(5.milliseconds)
                    }
                    passing?.closeAndJoin()
                }
            }.joinAll()
        }

    /** Each kind of thing, waited for, given up, and used. */
    private suspend fun round(client: Signalbox) =
        coroutineScope {
            val number = nameCount.addAndGet(NAMES_OF_A_ROUND)
            val semaphore = client.semaphore("semaphore-$number", 2) { maxHold = 1.seconds }
            List(5) { launch { semaphore.withPermit { delay(1.milliseconds) } } }.joinAll()
            client.semaphore("contended-$number", 1).run {
                val held = acquire()
                withTimeoutOrNull(2.milliseconds) { acquire().release() }
                held.release()
            }
            client.mutex("mutex-$number").withLock { }
            client.event("event-$number").run {
                set()
                await()
            }
            if (number % POOLS == 0L) {
                client.semaphore("pool-$number", 2) { algorithm = SemaphoreAlgorithm.Pool(InitStrategy.LUA) }.withPermit { }
            }
            handled.schedule(topic, "timer-$number", ByteArray(0), after = 20.milliseconds)
            handled.schedule(topic, "cancelled-$number", ByteArray(0), after = 60.seconds)
            handled.cancel(topic, "cancelled-$number")
            timerCount.addAndGet(2)
            operationCount.addAndGet(OPERATIONS_OF_A_ROUND)
        }

    /** Until all that comes to an end has: keys by their retention, timers by being handled. */
    suspend fun rest(redis: RedisServer) {
        while (handled.count(topic) > 0) delay(50.milliseconds)
        var before = -1
        withTimeoutOrNull(60.seconds) {
            while (true) {
                val keys = redis.command("DBSIZE").toInt()
                if (keys == before) break
                before = keys
                delay(5.seconds)
            }
        }
    }

    override fun close() {
        scope.cancel()
        stays.close()
    }

    private companion object {
        const val WORKERS = 8
        const val ROUNDS_OF_A_CLIENT = 20

        /** Every pool has a blocking connection as long as somebody waits, so not in each round. */
        const val POOLS = 5L
        const val NAMES_OF_A_ROUND = 5L
        const val OPERATIONS_OF_A_ROUND = 22L
    }
}
