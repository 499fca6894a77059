package io.signalbox.internal.coordination

import io.signalbox.DeletedException
import io.signalbox.Permit
import io.signalbox.PermitsMismatchException
import io.signalbox.SemaphoreNotFoundException
import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.UnknownFormatException
import io.signalbox.internal.described
import io.signalbox.internal.inWords
import io.signalbox.internal.ledger.Declared
import io.signalbox.internal.ledger.FORMAT
import io.signalbox.internal.ledger.LedgerName
import kotlin.time.Duration.Companion.milliseconds

/** What goes wrong at [ledger], in words that say what to do. */
internal class CoordinationErrors(
    val subject: LedgerName,
    private val settings: CoordinationSettings,
) {
    private val ledger get() = subject
    private val name = subject.name

    fun closed() = SignalboxClosedException("This client was closed; $ledger can no longer be used through it.")

    /** Nobody knows what became of a release. */
    fun unconfirmed() =
        SignalboxClosedException(
            "This client was closed before the server confirmed the release of a permit of $ledger. It is free again when the lease " +
                "ends, at the latest.",
        )

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
                    "attach(\"$name\") where it is not known, redeclare(), or onMismatch = RESIZE where the newest declaration is to win."
            } else {
                "${ledger.title} was created with bounded = ${found.bounded}, not ${wanted.bounded}. Use the same setting everywhere."
            }
        return PermitsMismatchException(name, wanted.permits, found.permits, text)
    }

    /** Ended by a client with the label [by]. */
    fun deleted(
        by: String,
    ) = DeletedException(name, "${ledger.title} was deleted by '$by' while this waited for it. The next use creates it anew.")

    /** More than there are, or were when it was refused. [declared] is what it was created with. */
    fun tooHeavy(
        weight: Int,
        permits: Int,
        declared: Int,
    ): TooHeavy {
        val isResized = weight <= declared
        return TooHeavy(
            isResized,
            if (isResized) {
                "Cannot acquire $weight permits of $ledger: somebody has resized it to fewer than its $declared. Ask for less, or have " +
                    "it resized again."
            } else {
                "Cannot acquire $weight permits of $ledger: it has ${minOf(permits, weight - 1)}. Ask for at most that many."
            },
        )
    }

    /** The semaphore takes leases up to [longestMillis]. */
    fun leaseTooLong(longestMillis: Long) =
        IllegalArgumentException(
            "The lease of this client, ${settings.leaseMillis.milliseconds}, is longer than the longest that ${subject.title} allows, " +
                "${longestMillis.milliseconds}: a quarantine after a loss of data would end too soon. Use a shorter lease, or set " +
                "longestLease where it is created.",
        )

    /** [outcome] says what is known of the operation. */
    fun unavailable(
        outcome: String,
        cause: Throwable?,
    ) = StoreUnavailableException(
        "The store gave no usable answer for $ledger within ${settings.storeTimeoutMillis.milliseconds} ($outcome). Check that the " +
            "server is reachable, or raise storeTimeout. Last problem: ${cause.inWords()}",
        cause,
    )

    /** A time limit passed, and not because others hold. */
    fun away(cause: Throwable?) =
        StoreUnavailableException(
            "Nothing was granted for $ledger within the time limit, because the store did not answer. If it was granted " +
                "nevertheless, it is given back. Last problem: ${cause.inWords()}",
            cause,
        )

    /** What the store has said, or what followed from it here, makes no sense. */
    fun notUnderstood(problem: Throwable) =
        StoreUnavailableException(
            "The answer of the store for $ledger was not understood: does something between answer unlike Redis? What was asked may " +
                "have been carried out. Cause: ${described(problem)}",
            problem,
        )

    fun interrupted(outcome: String) =
        StoreUnavailableException("The session at $ledger ended before the answer came ($outcome). Look, and try again.")
}

/** An acquire of more permits than there are. [isResized]: they were there, and are not because somebody has changed their number. */
internal class TooHeavy(
    val isResized: Boolean,
    message: String,
) : IllegalArgumentException(message)
