package io.signalbox.internal.redis

import io.lettuce.core.KeyValue
import io.lettuce.core.RedisChannelHandler
import io.lettuce.core.RedisConnectionStateListener
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.future.await
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import org.slf4j.LoggerFactory

/**
 * The client's one blocking connection: collects announcements by BLPOP and hands them to [onLines] on the driver's thread.
 *
 * Opened when the first address is asked for. It never outlives a disconnection: after one, a fresh connection waits at a fresh
 * address, and [onMoved] has everybody name it. A BLPOP is never cancelled on a connection that is used again.
 */
internal class Inbox(
    private val nodes: Nodes,
    private val address: (epoch: Long) -> String,
    private val scope: CoroutineScope,
    private val onLines: (List<ByteArray>) -> Unit,
    private val onMoved: () -> Unit,
    private val onLost: () -> Unit = {},
) {
    @Volatile
    private var current = address(0)

    private val worker: Job = scope.launch(Dispatchers.Unconfined, CoroutineStart.LAZY) { collectForEver() }

    val key: String get() = current

    /** Starts to collect, at the first call. */
    fun open() {
        if (!worker.isActive && !worker.isCompleted) worker.start()
    }

    private suspend fun collectForEver() {
        var epoch = 0L
        var failures = 0
        while (scope.isActive) {
            try {
                val key = current.toByteArray()
                val opened = nodes.connect(key)
                try {
                    if (epoch > 0) onMoved()
                    failures = 0
                    collect(opened, key)
                } finally {
                    if (scope.isActive) onLost()
                    withContext(NonCancellable) { opened.end().await() }
                }
            } catch (stop: CancellationException) {
                if (!scope.isActive) throw stop
                log.debug("The blocking connection stopped answering; opening another one")
            } catch (problem: Exception) {
                log.debug("The blocking connection failed; opening another one", problem)
            }
            // In a cluster the list, or its server, may have moved; the next address is anywhere.
            nodes.doubt()
            current = address(++epoch)
            delay((50 shl minOf(failures++, 5)).milliseconds * Random.nextDouble(0.5, 1.0))
        }
    }

    private suspend fun collect(
        opened: OwnConnection,
        key: ByteArray,
    ) {
        val commands = opened.connection.async()
        opened.connection.addListener(
            object : RedisConnectionStateListener {
                override fun onRedisDisconnected(connection: RedisChannelHandler<*, *>) {
                    // Else the driver would reconnect, and repeat the BLPOP beside a predecessor that may still be served.
                    opened.end()
                }
            },
        )
        val seconds = opened.blockSeconds
        var next = commands.blpop(seconds, key)
        while (true) {
            val first: KeyValue<ByteArray, ByteArray>? = withTimeout(PATIENCE) { next.await() }
            if (first == null || !first.hasValue()) {
                next = commands.blpop(seconds, key)
                continue
            }
            onLines(listOf(first.value))
            val rest = commands.lpop(key, DRAIN)
            next = commands.blpop(seconds, key)
            val lines = withTimeout(PATIENCE) { rest.await() }
            if (!lines.isNullOrEmpty()) onLines(lines)
        }
    }

    suspend fun close() = worker.cancelAndJoin()

    private companion object {
        val log = LoggerFactory.getLogger(Inbox::class.java)

        const val DRAIN = 512L
        val PATIENCE = 10.seconds
    }
}
