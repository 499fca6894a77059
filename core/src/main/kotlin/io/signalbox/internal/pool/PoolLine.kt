package io.signalbox.internal.pool

import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.redis.RedisConnections
import io.signalbox.internal.redis.RedisErrors
import kotlin.time.Duration
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull

/** The connection that carries the transactions of all pools of one client, opened with the first; and connections for a moment. */
internal class PoolLine(
    private val connections: RedisConnections,
    private val scope: CoroutineScope,
    private val patience: Duration,
) {
    private val connecting = Mutex()

    @Volatile
    private var current: PoolConnection? = null

    /** Sends [batch] as a transaction, or says at once that there is no connection; opens one then. Does not block. */
    fun transact(
        batch: Batch,
        done: (Replies?, LedgerFailure?) -> Unit,
    ) {
        val connection = current?.takeIf { it.isOpen }
        if (connection == null) {
            scope.launch { runCatching { connect() }.onFailure { if (it is CancellationException) throw it } }
            return done(null, LedgerFailure(IllegalStateException("There is no connection at the moment."), false, final = false))
        }
        connection.transact(batch) { replies, error ->
            val failure = error?.let(::poolFailure)
            if (failure != null && RedisErrors.isReadOnly(failure.error)) connection.close()
            done(replies, failure)
        }
    }

    /** The same, suspending; gives up on a connection that says nothing for too long. */
    suspend fun transact(batch: Batch): Replies {
        val connection = connect()
        return withPatience(connection) { connection.transact(batch) }
            ?: throw LedgerFailure(IllegalStateException("The transaction was not executed."), executed = false, final = false)
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
        withTimeoutOrNull(patience) { result = Result.success(block()) }
        result?.let { return it.getOrThrow() }
        connection.close()
        throw LedgerFailure(IllegalStateException("The server did not answer within $patience."), executed = true, final = false)
    }

    suspend fun connect(): PoolConnection =
        current?.takeIf { it.isOpen } ?: connecting.withLock { current?.takeIf { it.isOpen } ?: open().also { current = it } }

    suspend fun open(): PoolConnection =
        try {
            PoolConnection(connections.connect())
        } catch (problem: Exception) {
            if (problem is CancellationException) throw problem
            throw poolFailure(problem)
        }

    /** A connection that has carried no reply since [sentAt] may be half-open. */
    fun suspect(sentAt: Long) {
        current?.let { if (it.lastReplyAt - sentAt < 0) it.close() }
    }

    fun close() {
        current?.close()
    }
}
