package io.signalbox.internal.redis

import io.lettuce.core.RedisCommandExecutionException
import io.signalbox.ScriptNotPermittedException
import io.signalbox.StoreUnavailableException
import io.signalbox.UnknownFormatException
import io.signalbox.internal.described
import io.signalbox.internal.ledger.FORMAT
import io.signalbox.internal.ledger.LedgerFailure

/** What an error of the driver or the server says about the request: executed or not, worth repeating or not. */
internal object RedisErrors {
    /** The server is not able to, at the moment. */
    private val passing =
        "NOSCRIPT BUSY LOADING TRYAGAIN CLUSTERDOWN MASTERDOWN UNBLOCKED".split(' ')

    /** The server takes no writes; said of the first one of a script, so that nothing of it was executed. By what is to be done about it. */
    private val refusing =
        mapOf(
            "READONLY" to "It is a replica: connect to the primary, or by the Sentinels that know it.",
            "NOREPLICAS" to
                "Fewer of its replicas keep up (min-replicas-max-lag) than its setting min-replicas-to-write asks for: bring them back, " +
                "or lower that setting if it may write alone. If another server was promoted, connect to that one.",
            "MISCONF" to "It cannot save its data: see its log, and whether its disk is full.",
            "OOM" to "It has reached its maxmemory: raise that, or give it less to keep.",
        )

    private val redirections = listOf("MOVED", "ASK")
    private val elsewhere = listOf("READONLY", "CLUSTERDOWN", "MASTERDOWN") + redirections

    /** In the words of Redis 6.2 to 8 and Valkey, outside and inside of scripts. */
    private val notPermitted =
        listOf("NOPERM", "unknown command", "ACL failure in script", "can't run this command", "can't access at least one of the keys")

    /** How a node of a cluster refuses keys of others inside a script: Redis 6.2, and later ones. */
    private val notLocal = listOf("non local key", "do not hash to the same slot")

    private val credentials = listOf("WRONGPASS", "NOAUTH", "ERR invalid password")

    /** How servers begin to tell of an error inside a script, which may have written something before: Redis 6.2, and later ones. */
    private val insideScript = listOf("Error running script", "user_script", "ACL failure in script", "in script")

    /** The code of an error of a command inside a script, as Redis 6.2 wraps it: `... @user_script: 12: -READONLY You can't ...`. */
    private val wrapped = Regex("""user_script:\s*\d+: -?([A-Z]{3,})\b""")

    fun isNoScript(error: Throwable): Boolean = error.message.orEmpty().startsWith("NOSCRIPT")

    /** The server became a replica; the primary is elsewhere. */
    fun isReadOnly(error: Throwable): Boolean = generateSequence(error) { it.cause }.any { code(it.message.orEmpty()) == "READONLY" }

    /** The cluster has no such node for what was asked, or not now: somebody else may know more. */
    fun isElsewhere(error: Throwable): Boolean = generateSequence(error) { it.cause }.any { code(it.message.orEmpty()) in elsewhere }

    /** Who was asked names somebody else. Nothing was executed. */
    fun isRedirection(error: Throwable): Boolean = error is RedisCommandExecutionException && code(error.message.orEmpty()) in redirections

    private fun code(text: String): String = wrapped.find(text)?.groupValues?.get(1) ?: text.substringBefore(' ')

    /**
     * [script] is what ran, if any: the lines in its errors are told by its files. Who talks to the whole of a cluster ([inCluster]) is sent
     * elsewhere only for a while.
     */
    fun classify(
        thrown: Throwable,
        script: Script? = null,
        inCluster: Boolean = false,
    ): LedgerFailure {
        val error = generateSequence(thrown) { it.cause }.firstOrNull { it is RedisCommandExecutionException } ?: thrown
        val text = error.message.orEmpty().let { script?.located(it) ?: it }
        // What the driver makes of a reply of another kind than the one that it expects.
        if (error is UnsupportedOperationException || error is NumberFormatException) return unlike(null, error)
        if (error !is RedisCommandExecutionException) return LedgerFailure(error, executed = true, final = false)
        // A script that was refused half-way has written what came before.
        val executed = insideScript.any { it in error.message.orEmpty() }
        return when {
            code(error.message.orEmpty()) in passing -> LedgerFailure(error, executed, final = false)
            code(
                error.message.orEmpty(),
            ) in refusing -> LedgerFailure(takesNoWrites(text, error), executed = false, final = false, refused = true)
            code(text) in redirections && inCluster -> LedgerFailure(error, executed = false, final = false)
            code(text) in redirections -> LedgerFailure(cluster(text, error), executed = false, final = true)
            notLocal.any { it in text } && !inCluster -> LedgerFailure(cluster(text, error), executed, final = true)
            notPermitted.any { it in text } -> LedgerFailure(notPermitted(text, error), executed, final = true)
            credentials.any { text.startsWith(it) } -> LedgerFailure(rejected(text, error), executed = false, final = true)
            "DB index" in text -> LedgerFailure(noDatabase(text, error), executed = false, final = true)
            "max number of clients" in text -> LedgerFailure(error, executed = false, final = false)
            else -> LedgerFailure(refused(text, error), executed, final = true)
        }
    }

    private fun takesNoWrites(
        text: String,
        error: Throwable,
    ) = StoreUnavailableException(
        "The server takes no writes at the moment: ${text.trimEnd('.')}. ${refusing[code(error.message.orEmpty())]}",
        error,
    )

    private fun notPermitted(
        text: String,
        error: Throwable,
    ) = ScriptNotPermittedException(
        "The server refuses to run this library's scripts: ${text.trimEnd('.')}. Give the user the commands listed in the documentation " +
            "(ACL), or load the scripts as another user.",
        error,
    )

    private fun cluster(
        text: String,
        error: Throwable,
    ) = StoreUnavailableException(
        "The server is part of a cluster: ${text.trimEnd('.')}. Make the client by connectCluster() instead of connect(), or of a " +
            "RedisClusterClient: this one talks to one server and its replicas.",
        error,
    )

    private fun noDatabase(
        text: String,
        error: Throwable,
    ) = StoreUnavailableException("The server has no database of that number: ${text.trimEnd('.')}. Check the end of the URI.", error)

    private fun rejected(
        text: String,
        error: Throwable,
    ) = StoreUnavailableException("The server rejects the credentials: ${text.trimEnd('.')}. Check user and password.", error)

    private fun refused(
        text: String,
        error: Throwable,
    ) = StoreUnavailableException(
        "The server refuses the request: ${text.trimEnd('.')}." +
            when {
                "WRONGTYPE" in text -> " Something else uses this namespace; choose another."
                "DB index" in text -> " Check the number of the database in the URI."
                "DENIED" in text -> " Give the server a password, and the client too."
                else -> ""
            },
        error,
    )

    fun unreadable(found: String): UnknownFormatException = UnknownFormatException.of("The semaphore", FORMAT.toString(), found)

    /** [reply] is not what the server was asked for. */
    fun unlike(
        reply: Any?,
        cause: Throwable,
    ): LedgerFailure =
        LedgerFailure(
            StoreUnavailableException(
                "The server answers unlike Redis: '${shown(reply)}' is no answer to what this library has asked " +
                    "(${described(cause)}). Check what is listening there, and that nothing between rewrites answers.",
                cause,
            ),
            executed = true,
            final = true,
        )

    private fun shown(reply: Any?): String =
        when (reply) {
            null -> "something else"
            is ByteArray -> String(reply)
            is List<*> -> reply.take(3).joinToString(" ", transform = ::shown)
            else -> reply.toString()
        }.take(40)
}
