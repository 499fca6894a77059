package io.signalbox.internal.coordination

import io.signalbox.Permit
import io.signalbox.PermitsMismatchException
import io.signalbox.SemaphoreNotFoundException
import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.ledger.Declared
import kotlin.time.Duration.Companion.milliseconds

/** What goes wrong at semaphore [name], in words that say what to do. */
internal class CoordinationErrors(
    private val name: String,
    private val settings: CoordinationSettings,
) {
    fun closed() = SignalboxClosedException("This client was closed; semaphore '$name' can no longer be used through it.")

    fun released(permit: Permit) =
        IllegalStateException("Permit ${permit.fencingToken} of semaphore '$name' was already released. Release a permit once.")

    fun notFound() =
        SemaphoreNotFoundException(
            name,
            "Semaphore '$name' does not exist. attach() never creates it: start the process that calls " +
                "semaphore(\"$name\", permits), or wait longer.",
        )

    fun gone() =
        SemaphoreNotFoundException(name, "Semaphore '$name' does not exist any more: the server has lost its data, or was cleared.")

    fun mismatch(
        wanted: Declared,
        found: Declared,
    ): PermitsMismatchException {
        val text =
            if (wanted.permits != found.permits) {
                "Semaphore '$name' was created with ${found.permits} permits, not ${wanted.permits}. Use the same count everywhere, " +
                    "attach(\"$name\") where it is not known, or resize() to change the current count."
            } else {
                "Semaphore '$name' was created with bounded = ${found.bounded}, not ${wanted.bounded}. Use the same setting everywhere."
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
        "Cannot acquire $weight permits of semaphore '$name': it has $permits. Ask for at most that many.",
    )

    /** [outcome] says what is known of the operation. */
    fun unavailable(
        outcome: String,
        cause: Throwable?,
    ) = StoreUnavailableException(
        "The store did not answer for semaphore '$name' within ${settings.storeTimeoutMillis.milliseconds} ($outcome). Check that the " +
            "server is reachable, or raise storeTimeout. Last problem: ${cause?.message ?: "none reported"}",
        cause,
    )

    fun interrupted(outcome: String) =
        StoreUnavailableException("The session at semaphore '$name' ended before the answer came ($outcome). Look, and try again.")
}
