package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import io.signalbox.internal.ledger.LedgerFailure
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.suspendCancellableCoroutine

/**
 * A connection on which transactions leave as one piece, and that is never used again once it was interrupted: whoever waits then hears
 * that the outcome is unknown. Replies come in the order of the requests. Nothing here blocks.
 */
internal interface PoolConnection {
    val isOpen: Boolean

    /** How long a command on it may block. */
    val blockSeconds: Double get() = 5.0

    /** When it was last heard of, by the client's clock. */
    val lastReplyAt: Long

    /**
     * Sends [batch] between MULTI and EXEC if it is a transaction, and calls [done] once: with the replies, with `null` if a watched key had
     * changed, or with an error.
     */
    fun transact(
        batch: Batch,
        done: (Replies?, LedgerFailure?) -> Unit,
    )

    /** Sends one command outside of a transaction; the reply is the only element, unless it is a list itself. */
    fun ask(
        request: Batch.Request,
        done: (List<Any?>?, LedgerFailure?) -> Unit,
    )

    fun close()
}

/** `null` if a watched key had changed. */
internal suspend fun PoolConnection.transact(batch: Batch): Replies? =
    suspendCancellableCoroutine { continuation ->
        transact(batch) { replies, failure ->
            if (failure == null) continuation.resume(replies) else continuation.resumeWithException(failure)
        }
    }

internal suspend fun PoolConnection.ask(
    word: CommandType,
    vararg arguments: Any,
): List<Any?> =
    suspendCancellableCoroutine { continuation ->
        ask(Batch.Request(word, arguments.asList())) { values, failure ->
            if (failure == null) continuation.resume(values.orEmpty()) else continuation.resumeWithException(failure)
        }
    }

/** The server's clock in microseconds. */
internal suspend fun PoolConnection.micros(): Long = PoolMeta.micros(Replies(listOf(ask(CommandType.TIME))), 0)
