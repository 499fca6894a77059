package io.signalbox.internal.pool

import io.signalbox.ScriptNotPermittedException
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.redis.RedisErrors

/**
 * What an error says about a request of a pool, none of which is a script. An error that comes from [inside] of a transaction tells of one
 * command only: the others were executed.
 */
internal fun poolFailure(
    error: Throwable,
    inside: Boolean,
    inCluster: Boolean = false,
): LedgerFailure {
    val failure = RedisErrors.classify(error, inCluster = inCluster)
    val cause = failure.error
    val told = if (cause is ScriptNotPermittedException) notPermitted(cause) else cause
    return LedgerFailure(told, executed = failure.executed || inside, failure.final, failure.refused && !inside)
}

private fun notPermitted(error: ScriptNotPermittedException) =
    StoreUnavailableException(
        "The server refuses a command that the pool algorithm needs: ${error.cause?.message}. Give the user the commands " +
            "and keys listed for pools in the documentation (ACL).",
        error.cause,
    )

/** What only a watched key may come to: without one, whoever answers is no server like Redis. */
internal fun notExecuted() = RedisErrors.unlike(null, IllegalStateException("A transaction without a condition was not executed."))

/** A connection that broke or never came about: whether the request was executed is not known. */
internal fun interrupted(text: String) = LedgerFailure(IllegalStateException(text), executed = true, final = false)
