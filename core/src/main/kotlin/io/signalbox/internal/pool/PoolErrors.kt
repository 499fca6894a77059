package io.signalbox.internal.pool

import io.signalbox.ScriptNotPermittedException
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.redis.RedisErrors

/** What an error says about a request of a pool, none of which is a script. */
internal fun poolFailure(error: Throwable): LedgerFailure {
    val failure = RedisErrors.classify(error)
    if (failure.error !is ScriptNotPermittedException) return failure
    val refusal =
        StoreUnavailableException(
            "The server refuses a command that the pool algorithm needs: ${failure.error.cause?.message}. Give the user the commands " +
                "and keys listed for pools in the documentation (ACL).",
            failure.error.cause,
        )
    return LedgerFailure(refusal, executed = false, final = true)
}
