package io.signalbox.internal.redis

import io.lettuce.core.RedisCommandExecutionException
import io.signalbox.ScriptNotPermittedException
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.ledger.LedgerFailure

/** What an error of the driver or the server says about the request: executed or not, worth repeating or not. */
internal object RedisErrors {
    /** The server is not able to, at the moment. Certainly not executed. */
    private val passing =
        "NOSCRIPT BUSY LOADING TRYAGAIN CLUSTERDOWN MASTERDOWN READONLY NOREPLICAS MISCONF OOM MOVED UNBLOCKED".split(' ')

    /** In the words of Redis 6.2 to 8 and Valkey, outside and inside of scripts. */
    private val notPermitted =
        listOf("NOPERM", "unknown command", "ACL failure in script", "can't run this command", "can't access at least one of the keys")

    private val credentials = listOf("WRONGPASS", "NOAUTH", "ERR invalid password")

    fun isNoScript(error: Throwable): Boolean = error.message.orEmpty().startsWith("NOSCRIPT")

    /** The server became a replica; the primary is elsewhere. */
    fun isReadOnly(error: Throwable): Boolean = error.message.orEmpty().startsWith("READONLY")

    fun classify(thrown: Throwable): LedgerFailure {
        val error = generateSequence(thrown) { it.cause }.firstOrNull { it is RedisCommandExecutionException } ?: thrown
        val text = error.message.orEmpty()
        if (error !is RedisCommandExecutionException) return LedgerFailure(error, executed = true, final = false)
        return when {
            passing.any { text.startsWith(it) } -> LedgerFailure(error, executed = false, final = false)
            notPermitted.any { it in text } -> LedgerFailure(notPermitted(error), executed = false, final = true)
            credentials.any { text.startsWith(it) } -> LedgerFailure(rejected(error), executed = false, final = true)
            "max number of clients" in text -> LedgerFailure(error, executed = false, final = false)
            else -> LedgerFailure(refused(error), executed = false, final = true)
        }
    }

    private fun notPermitted(error: Throwable) =
        ScriptNotPermittedException(
            "The server refuses to run this library's scripts: ${text(error)}. Give the user the commands listed in the documentation " +
                "(ACL), or load the scripts as another user.",
            error,
        )

    private fun rejected(error: Throwable) =
        StoreUnavailableException("The server rejects the credentials: ${text(error)}. Check user and password.", error)

    private fun text(error: Throwable) = error.message.orEmpty().trimEnd('.')

    private fun refused(error: Throwable) =
        StoreUnavailableException(
            "The server refuses the request: ${text(
                error,
            )}. If a key has the wrong type, something else uses this namespace; choose another.",
            error,
        )
}
