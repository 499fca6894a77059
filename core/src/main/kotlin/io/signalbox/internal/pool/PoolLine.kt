package io.signalbox.internal.pool

import io.signalbox.SignalboxClosedException
import io.signalbox.internal.ClientTime
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.redis.RedisErrors
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withTimeoutOrNull

/**
 * The connection that carries the transactions of all pools of one client, opened with the first; and connections for a moment. In a cluster
 * of one pool, which shares it with the other pools of its server.
 *
 * Connections are opened in [scope], whoever asks: a caller who gives up leaves none behind.
 *
 * @param shared gives the connection for transactions, if it is not one of this line's own.
 * @param onElsewhere told of what says that the pool is not where it was: its connection is not used for it any more.
 */
internal class PoolLine(
    private val scope: CoroutineScope,
    private val patience: Duration,
    private val isShutDown: () -> Boolean = { false },
    private val shared: (suspend () -> PoolConnection)? = null,
    private val onElsewhere: (Throwable) -> Unit = { },
    private val reach: suspend () -> PoolConnection,
) {
    /** Whether there will be no connection any more. */
    val isOver: Boolean get() = isShutDown()

    @Volatile
    private var current: PoolConnection? = null
    private var opening: Deferred<PoolConnection>? = null

    /** What came of the last attempt to connect, if that failed. */
    @Volatile
    private var refusal: LedgerFailure? = null

    /** Sends [batch] as a transaction, or says at once that there is no connection; opens one then. Does not block. */
    fun transact(
        batch: Batch,
        done: (Replies?, LedgerFailure?) -> Unit,
    ) {
        val connection = current?.takeIf { it.isOpen }
        if (connection == null) {
            startOpening()
            return done(
                null,
                refusal ?: LedgerFailure(IllegalStateException("There is no connection at the moment."), false, final = false),
            )
        }
        connection.transact(batch) { replies, failure ->
            if (failure != null) heard(failure, connection)
            done(replies, failure)
        }
    }

    private fun heard(
        failure: LedgerFailure,
        connection: PoolConnection,
    ) {
        if (RedisErrors.isReadOnly(failure.error)) connection.close()
        if (!RedisErrors.isElsewhere(failure.error)) return
        // Other pools may well be where they were.
        current = null
        onElsewhere(failure.error)
    }

    /** The same, suspending; gives up on a connection that says nothing for too long. */
    suspend fun transact(batch: Batch): Replies {
        val connection = connect()
        return withPatience(connection) { connection.transact(batch) }
            ?: throw notExecuted()
    }

    /** Runs [block] with a connection that nobody else uses, because of what it watches. */
    suspend fun <T> exclusively(block: suspend (PoolConnection) -> T): T {
        val connection = open()
        try {
            return withPatience(connection) { block(connection) }
        } finally {
            connection.close()
        }
    }

    private suspend fun <T> withPatience(
        connection: PoolConnection,
        block: suspend () -> T,
    ): T {
        var result: Result<T>? = null
        try {
            ClientTime.REAL.limited(patience) { result = Result.success(block()) }
        } catch (failure: LedgerFailure) {
            heard(failure, connection)
            throw failure
        }
        result?.let { return it.getOrThrow() }
        connection.close()
        throw interrupted("The server did not answer within $patience.")
    }

    suspend fun connect(): PoolConnection = current?.takeIf { it.isOpen } ?: startOpening().heard()

    /** A connection of the caller's own, to be closed by it. */
    suspend fun open(): PoolConnection {
        val connection = scope.async { opened(reach) }
        try {
            return connection.heard()
        } catch (stop: CancellationException) {
            connection.closeWhenOpen()
            throw stop
        }
    }

    private fun startOpening(): Deferred<PoolConnection> =
        synchronized(this) {
            opening?.takeIf { it.isActive } ?: scope.async { opened(shared ?: reach).also { current = it } }.also { opening = it }
        }

    private suspend fun opened(reach: suspend () -> PoolConnection): PoolConnection {
        var connection: PoolConnection? = null
        try {
            // Else the driver waits for as long as it likes for a greeting that got lost.
            withTimeoutOrNull(maxOf(patience, LEAST_TO_CONNECT)) { connection = reach() }
        } catch (problem: Exception) {
            if (problem is CancellationException) throw problem
            throw poolFailure(problem, inside = false).also { refusal = it }
        }
        // Several may be opened at once: what is told here is what became of this one.
        val opened = connection ?: throw interrupted("No connection came about.").also { refusal = it }
        refusal = null
        return opened
    }

    private suspend fun <T> Deferred<T>.heard(): T =
        try {
            await()
        } catch (stop: CancellationException) {
            currentCoroutineContext().ensureActive()
            throw LedgerFailure(SignalboxClosedException("This client was closed."), executed = false, final = true)
        }

    @OptIn(ExperimentalCoroutinesApi::class)
    private fun Deferred<PoolConnection>.closeWhenOpen() {
        invokeOnCompletion { problem -> if (problem == null) getCompleted().close() }
    }

    /** A connection of somebody's own has failed by [problem]: the pool may be elsewhere now. */
    fun isBroken(problem: Throwable) = onElsewhere((problem as? LedgerFailure)?.error ?: problem)

    /** A connection that has carried no reply since [sentAt] may be half-open. */
    fun suspect(sentAt: Long) {
        current?.let { if (it.lastReplyAt - sentAt < 0) it.close() }
    }

    fun close() {
        synchronized(this) { opening }?.closeWhenOpen()
        current?.close()
    }

    private companion object {
        val LEAST_TO_CONNECT = 5.seconds
    }
}
