package io.signalbox.internal.redis

import io.lettuce.core.RedisCommandExecutionException
import io.lettuce.core.RedisCommandTimeoutException
import io.lettuce.core.RedisException
import io.lettuce.core.protocol.AsyncCommand
import io.lettuce.core.protocol.Command
import io.signalbox.internal.errorSafely
import io.signalbox.internal.ledger.LedgerFailure
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicLong
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asExecutor
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import org.slf4j.LoggerFactory

/** One server: what is sent over its command connection, whether that still answers, and who opens another one if it does not. */
internal class Node(
    val connections: RedisConnections,
    private val patience: Duration,
    private val scope: CoroutineScope,
    private val reachability: Reachability = Reachability(),
    /** Called when the server does not do what is expected of it. */
    private val onTrouble: () -> Unit = {},
) {
    @Volatile
    private var lastReplyAt = System.nanoTime()

    /** Since when requests have been without any reply; [NEVER] if none is. */
    @Volatile
    private var unansweredSince = NEVER
    private val isReconnecting = AtomicBoolean()
    private val leftReplicaAt = AtomicLong(System.nanoTime() - REPLICA_NANOS)

    /** Whether nothing is sent there any more. */
    @Volatile
    var isRetired = false
        private set

    init {
        connections.onLost = {
            onTrouble()
            reconnect()
        }
    }

    /** The open command connection, if there is one. */
    fun current(): Connection? = connections.current()

    /** The command connection, opened if need be. */
    suspend fun command(): Connection =
        try {
            connections.command()
        } catch (problem: Exception) {
            if (problem is CancellationException) throw problem
            failed(problem)
            throw RedisErrors.classify(problem)
        }

    private fun failed(problem: Throwable) {
        reachability.failed(problem)
        onTrouble()
    }

    /** Calls [use] with the command connection, at once if it is there, or else on the driver's thread when it is; or with why it is not. */
    fun withCommand(use: (Connection?, Throwable?) -> Unit) {
        val open = connections.current()
        if (open != null) return use(open, null)
        connections.opening().whenComplete { connection, problem ->
            if (connection == null) failed(problem)
            use(connection, problem)
        }
    }

    /** Another connection, which is the caller's to end. */
    suspend fun connect(): OwnConnection {
        val connection = connections.connect()
        return OwnConnection(connection, connections.blockSeconds(), connections.endOf(connection), this)
    }

    /** [done] is called once, from here or later on the driver's thread, or never if the connection is lost without a trace. */
    fun <T> dispatch(
        connection: Connection,
        request: Command<ByteArray, ByteArray, T>,
        done: (T?, Throwable?) -> Unit,
    ) {
        val command = AsyncCommand(request)
        if (unansweredSince == NEVER) unansweredSince = System.nanoTime()
        command.whenComplete { result, error ->
            if (isReply(error)) {
                lastReplyAt = System.nanoTime()
                unansweredSince = NEVER
                reachability.answered()
            } else {
                reachability.failed(error!!)
                if (error is RedisCommandTimeoutException) replaceIfLongSilent(connection)
            }
            try {
                done(result, error)
            } catch (problem: Throwable) {
                // The driver would keep it to itself.
                log.errorSafely("What became of a request could not be told", problem)
            }
        }
        if (LateCommand.isComposing) elsewhere.execute { write(connection, command) } else write(connection, command)
    }

    private fun <T> write(
        connection: Connection,
        command: AsyncCommand<ByteArray, ByteArray, T>,
    ) {
        try {
            connection.dispatch(command)
        } catch (problem: Exception) {
            command.completeExceptionally(problem)
        }
    }

    /** If the server refuses connections it is that; else that there is none. Nothing was sent. */
    fun disconnected(): LedgerFailure {
        val problem = connections.problem ?: IllegalStateException("There is no connection at the moment.")
        return RedisErrors.classify(problem).let { LedgerFailure(it.error, executed = false, it.final) }
    }

    /** Until there is a connection: whoever holds something must hear of what it waits for as soon as there is one. */
    fun reconnect() {
        if (isRetired || !isReconnecting.compareAndSet(false, true)) return
        scope.launch {
            try {
                var failures = 0
                while (connections.current() == null && !isRetired) {
                    try {
                        connections.command()
                    } catch (problem: Exception) {
                        currentCoroutineContext().ensureActive()
                        failed(problem)
                        delay((LEAST_PAUSE shl minOf(failures++, MOST_DOUBLINGS)).milliseconds * Random.nextDouble(0.5, 1.0))
                    }
                }
            } finally {
                isReconnecting.set(false)
            }
            // It may have been lost again while this said that it is being looked after.
            if (connections.current() == null) reconnect()
        }
    }

    /**
     * A connection that has carried no reply at all since [sentAt] may be half-open: the next request goes over a new one. What was sent then
     * may have been sent to another server; so something has to have waited here for as long, or nearly.
     */
    fun replaceIfSilent(
        connection: Connection,
        sentAt: Long,
    ) {
        if (lastReplyAt - sentAt >= 0) return
        val since = unansweredSince
        if (since == NEVER || (since - sentAt) * 2 > patience.inWholeNanoseconds) return
        reachability.failed { "it has not answered for ${((System.nanoTime() - sentAt) / NANOS).milliseconds}" }
        connections.replace(connection)
    }

    /** The driver of a borrowed client may have time limits of its own, shorter than our patience: they tell nothing of the connection. */
    private fun replaceIfLongSilent(connection: Connection) {
        val since = unansweredSince
        if (since != NEVER && System.nanoTime() - since >= patience.inWholeNanoseconds) connections.replace(connection)
    }

    /**
     * Behind the same address there may be the primary now. Not each time: what others ask at the moment ends with the connection, and none
     * of them would ever be answered.
     */
    fun leaveReplica(connection: Connection) {
        val last = leftReplicaAt.get()
        val now = System.nanoTime()
        if (now - last >= REPLICA_NANOS && leftReplicaAt.compareAndSet(last, now)) connections.replace(connection)
    }

    /** What fails from now on is closed. */
    fun endTelling() = reachability.end()

    /** Nothing is sent there any more. */
    suspend fun retire() {
        isRetired = true
        endTelling()
        connections.close()
    }

    companion object {
        const val NEVER: Long = Long.MIN_VALUE
        private const val NANOS = 1_000_000L
        private const val REPLICA_NANOS = 1_000_000_000L
        private const val LEAST_PAUSE = 20
        private const val MOST_DOUBLINGS = 6
        private val elsewhere = Dispatchers.Default.asExecutor()
        private val log = LoggerFactory.getLogger(RedisLine::class.java)

        /** Whether [error] of a command came from the server, or there was none. */
        fun isReply(error: Throwable?): Boolean =
            error is RedisCommandExecutionException || (error !is RedisException && error !is CancellationException)
    }
}
