package io.signalbox.internal.pool

import io.signalbox.ScriptNotPermittedException
import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.RedisErrors

/**
 * What an error says about a request of a pool, none of which is a script. An error that comes from [inside] of a transaction tells of one
 * command only: the others were executed.
 */
internal fun poolFailure(
    error: Throwable,
    inside: Boolean,
): LedgerFailure {
    val failure = RedisErrors.classify(error)
    val cause = failure.error
    val told = if (cause is ScriptNotPermittedException) notPermitted(cause) else cause
    return LedgerFailure(told, executed = failure.executed || inside, final = failure.final)
}

private fun notPermitted(error: ScriptNotPermittedException) =
    StoreUnavailableException(
        "The server refuses a command that the pool algorithm needs: ${error.cause?.message}. Give the user the commands " +
            "and keys listed for pools in the documentation (ACL).",
        error.cause,
    )

/** The truth about a release that was on its way when the client ended. */
internal fun unconfirmed(subject: LedgerName) =
    SignalboxClosedException(
        "This client was closed before the server confirmed the release of a permit of $subject. It is free again when the lease ends, " +
            "at the latest.",
    )

/** An answer that cannot be read, or a bug here: whoever waits for it must hear of it. */
internal fun notUnderstood(
    subject: LedgerName,
    problem: Throwable,
) = StoreUnavailableException(
    "The answer of the server for $subject was not understood: does something between answer unlike Redis? What was asked may have been " +
        "carried out. Cause: $problem",
    problem,
)

/** A connection that broke or never came about: whether the request was executed is not known. */
internal fun interrupted(text: String) = LedgerFailure(IllegalStateException(text), executed = true, final = false)

/** The server takes no writes as it is: a call that begins is told so, what was begun is repeated until it is taken. */
internal val LedgerFailure.isRefusal: Boolean
    get() = !executed && REFUSALS.any { error.message.orEmpty().startsWith(it) }

/** What is told to a call that a refusal ends. */
internal fun LedgerFailure.told(subject: LedgerName): Throwable =
    if (isRefusal) {
        StoreUnavailableException(
            "The server takes no writes for $subject at the moment: ${error.message?.trimEnd('.')}.",
            error,
        )
    } else {
        error
    }

private val REFUSALS = listOf("OOM", "READONLY", "NOREPLICAS", "MISCONF")
