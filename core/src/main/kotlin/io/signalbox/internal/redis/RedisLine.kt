package io.signalbox.internal.redis

import io.lettuce.core.api.StatefulRedisConnection
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.CommandOutput
import io.lettuce.core.protocol.AsyncCommand
import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import io.lettuce.core.protocol.ProtocolKeyword
import io.signalbox.InternalSignalboxApi
import io.signalbox.internal.ledger.LedgerFailure
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull

/** What goes over the line: bytes in, bytes out. */
internal typealias Arguments = CommandArgs<ByteArray, ByteArray>

internal typealias Output<T> = CommandOutput<ByteArray, ByteArray, T>

/**
 * One client's line to its server: commands and scripts over the one connection that all of them share, announcements through
 * [announcements].
 *
 * Delivers each request once and says what became of it; patience is the caller's.
 */
@InternalSignalboxApi
public class RedisLine internal constructor(
    private val connections: RedisConnections,
    private val patience: Duration,
    private val scope: CoroutineScope,
    public val announcements: Announcements,
) {
    @Volatile
    private var lastReplyAt = System.nanoTime()

    /**
     * Runs [script] and suspends until it is answered.
     *
     * @throws LedgerFailure if there is no connection, no answer in time, or an error.
     */
    public suspend fun <T> ask(
        script: Script,
        keys: List<ByteArray>,
        output: () -> CommandOutput<ByteArray, ByteArray, T>,
        arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
    ): T = waited { connection, done -> run(connection, script, keys, output, arguments, done) }

    /** As the other, for a plain command. */
    public suspend fun <T> ask(
        command: ProtocolKeyword,
        output: () -> CommandOutput<ByteArray, ByteArray, T>,
        arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
    ): T = waited { connection, done ->
        dispatch(connection, command, output(), CommandArgs(ByteArrayCodec.INSTANCE).apply(arguments), done)
    }

    private suspend fun <T> waited(request: (StatefulRedisConnection<ByteArray, ByteArray>, (T?, Throwable?) -> Unit) -> Unit): T {
        val connection =
            try {
                connections.command()
            } catch (problem: Exception) {
                if (problem is CancellationException) throw problem
                throw RedisErrors.classify(problem)
            }
        val sentAt = System.nanoTime()
        // Kept aside: an answer that comes at the very moment of the timeout is one, though withTimeoutOrNull says null.
        var answer: Result<T?>? = null
        withTimeoutOrNull(patience) {
            answer =
                Result.success(
                    suspendCancellableCoroutine { continuation ->
                        request(connection) { result, error ->
                            if (error == null) continuation.resume(result) else continuation.resumeWithException(failure(connection, error))
                        }
                    },
                )
        }
        val result =
            answer ?: run {
                replaceIfSilent(connection, sentAt)
                throw LedgerFailure(IllegalStateException("The server did not answer within $patience."), executed = true, final = false)
            }
        @Suppress("UNCHECKED_CAST")
        return result.getOrThrow() as T
    }

    /**
     * Runs [script] without waiting; [done] is called once, from here or later on the driver's thread, or never if the connection
     * is lost without a trace.
     *
     * @param silentSince when an earlier delivery of the same request was sent that has had no reply, or [FIRST_DELIVERY]: a
     *   connection that has been silent since then is replaced first.
     */
    public fun <T> send(
        script: Script,
        keys: List<ByteArray>,
        silentSince: Long,
        output: () -> CommandOutput<ByteArray, ByteArray, T>,
        arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
        done: (T?, LedgerFailure?) -> Unit,
    ) {
        if (silentSince != FIRST_DELIVERY) connections.current()?.let { replaceIfSilent(it, silentSince) }
        val connection = connections.current()
        if (connection == null) {
            reconnect()
            return done(null, LedgerFailure(IllegalStateException("There is no connection at the moment."), false, final = false))
        }
        run(connection, script, keys, output, arguments) { result, error ->
            if (error == null) done(result, null) else done(null, failure(connection, error, script))
        }
    }

    /**
     * As [send], with arguments decided when the request is written: [compose] is called then, at most once, on the driver's thread;
     * `null` if there is nothing to send any more, which [done] is told with no result. It need not have been called when the
     * delivery fails.
     */
    internal fun <T> sendLate(
        script: Script,
        keys: List<ByteArray>,
        silentSince: Long,
        output: () -> Output<T>,
        compose: () -> (Arguments.() -> Unit)?,
        done: (T?, LedgerFailure?) -> Unit,
    ) {
        if (silentSince != FIRST_DELIVERY) connections.current()?.let { replaceIfSilent(it, silentSince) }
        val connection = connections.current()
        if (connection == null) {
            reconnect()
            return done(null, LedgerFailure(IllegalStateException("There is no connection at the moment."), false, final = false))
        }
        var arguments: (Arguments.() -> Unit)? = null
        val command =
            LateCommand(CommandType.EVALSHA, output()) {
                arguments = compose()
                arguments?.let { script.call(script.sha, keys).apply(it) }
            }
        dispatch(connection, command) { result, error ->
            val composed = arguments
            if (error == null) {
                done(if (composed == null) null else result, null)
            } else if (composed != null && RedisErrors.isNoScript(error)) {
                dispatch(connection, CommandType.EVAL, output(), script.call(script.body, keys).apply(composed)) { again, problem ->
                    if (problem == null) done(again, null) else done(null, failure(connection, problem, script))
                }
            } else {
                done(null, failure(connection, error, script))
            }
        }
    }

    private fun failure(
        connection: StatefulRedisConnection<ByteArray, ByteArray>,
        error: Throwable,
        script: Script? = null,
    ): LedgerFailure {
        val failure = RedisErrors.classify(error, script)
        if (RedisErrors.isReadOnly(failure.error)) connections.replace(connection)
        return failure
    }

    private fun reconnect() {
        scope.launch {
            try {
                connections.command()
            } catch (problem: Exception) {
                if (problem is CancellationException) throw problem
            }
        }
    }

    /** A connection that has carried no reply at all since [sentAt] may be half-open: the next request goes over a new one. */
    private fun replaceIfSilent(
        connection: StatefulRedisConnection<ByteArray, ByteArray>,
        sentAt: Long,
    ) {
        if (lastReplyAt - sentAt < 0) connections.replace(connection)
    }

    /** EVALSHA, and EVAL with the same arguments if the server does not know the script (any more). */
    private fun <T> run(
        connection: StatefulRedisConnection<ByteArray, ByteArray>,
        script: Script,
        keys: List<ByteArray>,
        output: () -> Output<T>,
        arguments: Arguments.() -> Unit,
        done: (T?, Throwable?) -> Unit,
    ) {
        dispatch(connection, CommandType.EVALSHA, output(), script.call(script.sha, keys).apply(arguments)) { result, error ->
            if (error != null && RedisErrors.isNoScript(error)) {
                dispatch(connection, CommandType.EVAL, output(), script.call(script.body, keys).apply(arguments), done)
            } else {
                done(result, error)
            }
        }
    }

    private fun <T> dispatch(
        connection: StatefulRedisConnection<ByteArray, ByteArray>,
        type: ProtocolKeyword,
        output: Output<T>,
        args: Arguments,
        done: (T?, Throwable?) -> Unit,
    ) = dispatch(connection, Command(type, output, args), done)

    private fun <T> dispatch(
        connection: StatefulRedisConnection<ByteArray, ByteArray>,
        request: Command<ByteArray, ByteArray, T>,
        done: (T?, Throwable?) -> Unit,
    ) {
        val command = AsyncCommand(request)
        command.whenComplete { result, error ->
            lastReplyAt = System.nanoTime()
            done(result, error)
        }
        try {
            connection.dispatch(command)
        } catch (problem: Exception) {
            command.completeExceptionally(problem)
        }
    }

    internal suspend fun close() {
        announcements.close()
        connections.close()
    }

    public companion object {
        public const val FIRST_DELIVERY: Long = Long.MIN_VALUE
    }
}
