package io.signalbox.internal.coordination

import io.signalbox.Permit
import io.signalbox.PermitsMismatchException
import io.signalbox.SemaphoreNotFoundException
import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.UnknownFormatException
import io.signalbox.internal.ledger.Declared
import io.signalbox.internal.ledger.FORMAT
import io.signalbox.internal.ledger.LedgerName
import kotlin.time.Duration.Companion.milliseconds

/** What goes wrong at [ledger], in words that say what to do. */
internal class CoordinationErrors(
    private val ledger: LedgerName,
    private val settings: CoordinationSettings,
) {
    private val name = ledger.name

    fun closed() = SignalboxClosedException("This client was closed; $ledger can no longer be used through it.")

    fun released(permit: Permit) =
        IllegalStateException("Permit ${permit.fencingToken} of $ledger was already released. Release a permit once.")

    fun notFound() =
        SemaphoreNotFoundException(
            name,
            "${ledger.title} does not exist. attach() never creates it: start the process that calls " +
                "semaphore(\"$name\", permits), or wait longer.",
        )

    /** The state has the format [found]. */
    fun unreadable(found: String) = UnknownFormatException.of(ledger.title, FORMAT.toString(), found)

    fun gone() = SemaphoreNotFoundException(name, "${ledger.title} does not exist any more: the server has lost its data, or was cleared.")

    fun mismatch(
        wanted: Declared,
        found: Declared,
    ): PermitsMismatchException {
        val text =
            if (wanted.permits != found.permits) {
                "${ledger.title} was created with ${found.permits} permits, not ${wanted.permits}. Use the same count everywhere, " +
                    "attach(\"$name\") where it is not known, or resize() to change the current count."
            } else {
                "${ledger.title} was created with bounded = ${found.bounded}, not ${wanted.bounded}. Use the same setting everywhere."
            }
        return PermitsMismatchException(name, wanted.permits, found.permits, text)
    }

    fun tooHeavy(
        waiter: Waiter,
        permits: Int,
    ) = tooHeavy(waiter.weight, permits)

    fun tooHeavy(
        weight: Int,
        permits: Int,
    ) = IllegalArgumentException(
        "Cannot acquire $weight permits of $ledger: it has $permits. Ask for at most that many.",
    )

    /** [outcome] says what is known of the operation. */
    fun unavailable(
        outcome: String,
        cause: Throwable?,
    ) = StoreUnavailableException(
        "The store did not answer for $ledger within ${settings.storeTimeoutMillis.milliseconds} ($outcome). Check that the " +
            "server is reachable, or raise storeTimeout. Last problem: ${cause?.message ?: "none reported"}",
        cause,
    )

    fun interrupted(outcome: String) =
        StoreUnavailableException("The session at $ledger ended before the answer came ($outcome). Look, and try again.")
}
