package io.signalbox.internal.redis

import io.lettuce.core.RedisCommandExecutionException
import io.signalbox.ScriptNotPermittedException
import io.signalbox.StoreUnavailableException
import io.signalbox.UnknownFormatException
import io.signalbox.internal.ledger.FORMAT
import io.signalbox.internal.ledger.LedgerFailure

/** What an error of the driver or the server says about the request: executed or not, worth repeating or not. */
internal object RedisErrors {
    /** The server is not able to, at the moment. */
    private val passing =
        "NOSCRIPT BUSY LOADING TRYAGAIN CLUSTERDOWN MASTERDOWN READONLY NOREPLICAS MISCONF OOM UNBLOCKED".split(' ')

    /** In the words of Redis 6.2 to 8 and Valkey, outside and inside of scripts. */
    private val notPermitted =
        listOf("NOPERM", "unknown command", "ACL failure in script", "can't run this command", "can't access at least one of the keys")

    private val credentials = listOf("WRONGPASS", "NOAUTH", "ERR invalid password")

    /** How servers begin to tell of an error inside a script, which may have written something before: Redis 6.2, and later ones. */
    private val insideScript = listOf("Error running script", "user_script", "ACL failure in script", "in script")

    /** The code of an error of a command inside a script, as Redis 6.2 wraps it: `... @user_script: 12: -READONLY You can't ...`. */
    private val wrapped = Regex("""user_script:\s*\d+: -?([A-Z]{3,})\b""")

    fun isNoScript(error: Throwable): Boolean = error.message.orEmpty().startsWith("NOSCRIPT")

    /** The server became a replica; the primary is elsewhere. */
    fun isReadOnly(error: Throwable): Boolean = code(error.message.orEmpty()) == "READONLY"

    private fun code(text: String): String = wrapped.find(text)?.groupValues?.get(1) ?: text.substringBefore(' ')

    /** [script] is what ran, if any: the lines in its errors are told by its files. */
    fun classify(
        thrown: Throwable,
        script: Script? = null,
    ): LedgerFailure {
        val error = generateSequence(thrown) { it.cause }.firstOrNull { it is RedisCommandExecutionException } ?: thrown
        val text = error.message.orEmpty().let { script?.located(it) ?: it }
        if (error !is RedisCommandExecutionException) return LedgerFailure(error, executed = true, final = false)
        // A script that was refused half-way has written what came before.
        val executed = insideScript.any { it in error.message.orEmpty() }
        return when {
            code(error.message.orEmpty()) in passing -> LedgerFailure(error, executed, final = false)
            code(text) == "MOVED" -> LedgerFailure(cluster(text, error), executed = false, final = true)
            notPermitted.any { it in text } -> LedgerFailure(notPermitted(text, error), executed, final = true)
            credentials.any { text.startsWith(it) } -> LedgerFailure(rejected(text, error), executed = false, final = true)
            "max number of clients" in text -> LedgerFailure(error, executed = false, final = false)
            else -> LedgerFailure(refused(text, error), executed, final = true)
        }
    }

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
        "The server is part of a cluster: ${text.trimEnd(
            '.',
        )}. This client talks to one server and its replicas; connect it to such a one.",
        error,
    )

    private fun rejected(
        text: String,
        error: Throwable,
    ) = StoreUnavailableException("The server rejects the credentials: ${text.trimEnd('.')}. Check user and password.", error)

    private fun refused(
        text: String,
        error: Throwable,
    ) = StoreUnavailableException(
        "The server refuses the request: ${text.trimEnd(
            '.',
        )}. If a key has the wrong type, something else uses this namespace; choose another.",
        error,
    )

    fun unreadable(found: String): UnknownFormatException = UnknownFormatException.of("The semaphore", FORMAT.toString(), found)

    /** [reply] is not what a script of this library returns. */
    fun unlike(
        reply: ByteArray?,
        cause: Throwable,
    ): LedgerFailure =
        LedgerFailure(
            StoreUnavailableException(
                "The server answers unlike Redis: '${String(reply ?: ByteArray(0)).take(40)}' is no answer of this library's scripts " +
                    "(${cause.message}). Check what is listening there, and that nothing between rewrites answers.",
                cause,
            ),
            executed = true,
            final = true,
        )
}
