package io.signalbox.internal.redis

import io.lettuce.core.RedisCommandExecutionException
import io.signalbox.ScriptNotPermittedException
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.ledger.LedgerFailure

/** What an error of the driver or the server says about the request: executed or not, worth repeating or not. */
internal object RedisErrors {
    /** The server is not able to, at the moment. Certainly not executed. */
    private val passing =
        "NOSCRIPT BUSY LOADING TRYAGAIN CLUSTERDOWN MASTERDOWN READONLY NOREPLICAS MISCONF OOM NOAUTH MOVED UNBLOCKED".split(' ')

    fun isNoScript(error: Throwable): Boolean = error.message.orEmpty().startsWith("NOSCRIPT")

    /** The server became a replica; the primary is elsewhere. */
    fun isReadOnly(error: Throwable): Boolean = error.message.orEmpty().startsWith("READONLY")

    fun classify(thrown: Throwable): LedgerFailure {
        val error = generateSequence(thrown) { it.cause }.firstOrNull { it is RedisCommandExecutionException } ?: thrown
        val text = error.message.orEmpty()
        if (error !is RedisCommandExecutionException) return LedgerFailure(error, executed = true, final = false)
        return when {
            passing.any { text.startsWith(it) } -> LedgerFailure(error, executed = false, final = false)
            text.startsWith("NOPERM") || "unknown command" in text || "ACL failure in script" in text ->
                LedgerFailure(notPermitted(error), executed = false, final = true)
            "max number of clients" in text -> LedgerFailure(error, executed = false, final = false)
            else -> LedgerFailure(refused(error), executed = false, final = true)
        }
    }

    private fun notPermitted(error: Throwable) =
        ScriptNotPermittedException(
            "The server refuses to run this library's scripts: ${error.message}. Give the user the commands listed in the documentation " +
                "(ACL), or load the scripts as another user.",
            error,
        )

    private fun refused(error: Throwable) =
        StoreUnavailableException(
            "The server refuses the request: ${error.message}. If a key has the wrong type, something else uses this namespace; choose another.",
            error,
        )
}
