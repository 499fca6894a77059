package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import org.slf4j.LoggerFactory

/**
 * The blocking connection of one contended pool: waits for one hint at a time by BLPOP while somebody wants one.
 *
 * A BLPOP is never cancelled on a connection that is used again. If nobody wants its hint any more it is woken through a list of the
 * client's own; a hint that comes first is put back. Closed when it was not needed for a while.
 */
internal class Collector(
    private val line: PoolLine,
    private val scope: CoroutineScope,
    private val dispatcher: CoroutineDispatcher,
    private val wake: ByteArray,
    /** The free list to wait at; `null` if nobody wants anything of it. */
    private val wanted: () -> ByteArray?,
    private val onHint: (Hint?) -> Unit,
    /** The connection is gone, and with it the place in the server's line. */
    private val onBroken: (Throwable) -> Unit,
) {
    private val bell = Channel<Unit>(Channel.CONFLATED)
    private val started = AtomicBoolean()
    private var worker: Job? = null

    /** Whether a BLPOP is on its way, or about to be. */
    @Volatile
    var isBlocked: Boolean = false
        private set

    /** Looks whether a hint is wanted. Does not block. */
    fun ring() {
        bell.trySend(Unit)
        if (started.compareAndSet(false, true)) worker = scope.launch(dispatcher) { collect() }
    }

    private suspend fun collect() {
        collectWhileNeeded()
        started.set(false)
        // Whoever rang before that has relied on this.
        if (bell.tryReceive().isSuccess) ring()
    }

    private suspend fun collectWhileNeeded() {
        var connection: PoolConnection? = null
        var failures = 0
        try {
            while (true) {
                withTimeoutOrNull(LINGER) { bell.receive() } ?: return
                while (true) {
                    val free = wanted() ?: break
                    try {
                        val open = connection?.takeIf { it.isOpen } ?: line.open().also { connection = it }
                        // Opening takes a while, and so much may have changed.
                        if (wanted().contentEquals(free)) collect(open, free)
                        failures = 0
                    } catch (stop: CancellationException) {
                        throw stop
                    } catch (problem: Throwable) {
                        log.debug("The blocking connection of a pool failed; opening another one", problem)
                        connection?.close()
                        line.isBroken(problem)
                        onBroken(problem)
                        delay((20 shl minOf(failures++, 5)).milliseconds)
                    }
                }
            }
        } finally {
            connection?.close()
        }
    }

    private suspend fun collect(
        connection: PoolConnection,
        free: ByteArray,
    ) {
        isBlocked = true
        val reply =
            try {
                withTimeoutOrNull(PATIENCE) { connection.ask(CommandType.BLPOP, wake, free, connection.blockSeconds) }
            } finally {
                isBlocked = false
            }
        if (reply == null) {
            connection.close()
            throw interrupted("A BLPOP was not answered.")
        }
        val key = reply.getOrNull(0) as ByteArray?
        val hint = if (key != null && key.contentEquals(free)) Hint.parse(String(reply[1] as ByteArray)) else null
        onHint(hint)
    }

    suspend fun close() {
        worker?.cancelAndJoin()
    }

    private companion object {
        val log = LoggerFactory.getLogger(Collector::class.java)

        val PATIENCE = 10.seconds
        val LINGER = 10.seconds
    }
}
