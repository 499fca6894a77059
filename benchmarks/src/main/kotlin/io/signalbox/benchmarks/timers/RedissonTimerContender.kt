package io.signalbox.benchmarks.timers

import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong
import kotlin.concurrent.thread
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.future.await
import org.HdrHistogram.Histogram
import org.redisson.Redisson
import org.redisson.api.RedissonClient
import org.redisson.client.codec.StringCodec
import org.redisson.config.Config

/** Redisson's delayed queue (deprecated there, without an open successor), with takers on its destination. */
@Suppress("DEPRECATION")
internal class RedissonTimerContender(
    uri: String,
) : TimerContender {
    override val title = "Redisson RDelayedQueue"
    private val client: RedissonClient =
        Redisson.create(
            Config().apply {
                codec = StringCodec.INSTANCE
                useSingleServer().setAddress(uri).setConnectionPoolSize(64).setConnectionMinimumIdleSize(24).setTimeout(60_000)
            },
        )
    private val rounds = AtomicLong()

    override suspend fun schedule(
        count: Int,
        coroutines: Int,
    ): Long {
        val destination = client.getBlockingQueue<String>("redisson-idle-${rounds.incrementAndGet()}")
        val queue = client.getDelayedQueue(destination)
        val nanos = closedLoop(count, coroutines) { queue.offerAsync("$it $PAYLOAD", 1, TimeUnit.DAYS).await() }
        check(queue.size == count) { "Redisson: not all timers were stored." }
        queue.destroy()
        queue.deleteAsync().await()
        return nanos
    }

    override suspend fun drain(count: Int): Long {
        val destination = client.getBlockingQueue<String>("redisson-jobs-${rounds.incrementAndGet()}")
        val queue = client.getDelayedQueue(destination)
        val due = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(2 * aheadMillis(count))
        closedLoop(count, 1000) { queue.offerAsync("$it $PAYLOAD", due - System.nanoTime(), TimeUnit.NANOSECONDS).await() }
        check(due > System.nanoTime()) { "Redisson: the timers were due before all were set." }
        val left = AtomicInteger(count)
        val end = CompletableDeferred<Long>()
        val takers = takers({ destination.poll(1, TimeUnit.SECONDS) }) { if (left.decrementAndGet() == 0) end.complete(System.nanoTime()) }
        val nanos = end.await() - due
        takers()
        queue.destroy()
        return nanos
    }

    override suspend fun lag(
        perSecond: Int,
        seconds: Int,
    ): Histogram {
        val destination = client.getBlockingQueue<String>("redisson-lag-${rounds.incrementAndGet()}")
        val queue = client.getDelayedQueue(destination)
        val lags = lagHistogram()
        val left = AtomicInteger(perSecond * seconds)
        val end = CompletableDeferred<Unit>()
        val takers =
            takers({ destination.poll(1, TimeUnit.SECONDS) }) { job ->
                lags.recordValue(maxOf(0, nowMicros() - job.substringBefore(' ').toLong() * 1000))
                if (left.decrementAndGet() == 0) end.complete(Unit)
            }
        steadily(perSecond, seconds) {
            val due = System.currentTimeMillis() + LAG_AHEAD_MILLIS
            queue.offerAsync("$due $it $PAYLOAD", LAG_AHEAD_MILLIS, TimeUnit.MILLISECONDS).await()
        }
        end.await()
        takers()
        queue.destroy()
        return lags
    }

    /** Threads that take one after the other; returns what stops them. */
    private fun takers(
        take: () -> String?,
        onTaken: (String) -> Unit,
    ): () -> Unit {
        val isOver = java.util.concurrent.atomic.AtomicBoolean()
        val threads = List(TAKERS) {
            thread(isDaemon = true) {
                while (!isOver.get()) take()?.let(onTaken)
            }
        }
        return {
            isOver.set(true)
            threads.forEach { it.join() }
        }
    }

    override fun close() = client.shutdown(0, 2, TimeUnit.SECONDS)

    private companion object {
        /** More do not help. */
        const val TAKERS = 16
    }
}
