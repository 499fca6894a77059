package io.signalbox

/** The root of everything this library throws that is neither misuse nor an expected "no". */
public sealed class SignalboxException(
    message: String,
    cause: Throwable? = null,
) : RuntimeException(message, cause)

/** An acquire with a time limit was not granted in time. It has left the queue. */
public class AcquireTimeoutException @InternalSignalboxApi public constructor(
    /** The name of the semaphore. */
    public val semaphore: String,
    message: String,
) : SignalboxException(message)

/** As many acquires wait as may: a limit against overload. Nothing was asked of the store. */
public class TooManyWaitersException internal constructor(
    /** The name of the semaphore, mutex or event. */
    public val semaphore: String,
    /** The limit: [SemaphoreSettings.maxWaiters] of the handle, or [SignalboxSettings.maxWaiters] of the client. */
    public val maxWaiters: Int,
    message: String,
) : SignalboxException(message)

/** The semaphore exists with other settings than the ones given. */
public class PermitsMismatchException @InternalSignalboxApi public constructor(
    /** The name of the semaphore. */
    public val semaphore: String,
    /** The count given in this call. */
    public val requested: Int,
    /** The count the semaphore was declared with. */
    public val declared: Int,
    message: String,
) : SignalboxException(message)

/** [Signalbox.attach] found no semaphore of that name in time. */
public class SemaphoreNotFoundException internal constructor(
    /** The name of the semaphore. */
    public val semaphore: String,
    message: String,
) : SignalboxException(message)

/** A permit was lost before the block that ran under it had ended. */
public class LeaseLostException internal constructor(
    /** The name of the semaphore. */
    public val semaphore: String,
    /** The token of the lost permit. */
    public val fencingToken: Long,
    /** Why it was lost; `null` if the permit is none of this library's, as a wrapper in a test. */
    public val reason: LossReason?,
    /** Of a permit that was revoked: the label of the client that did. */
    public val revokedBy: String?,
    message: String,
    cause: Throwable? = null,
) : SignalboxException(message, cause)

/** The store gave no usable answer in time. The text says whether the operation may have been carried out. */
public class StoreUnavailableException @InternalSignalboxApi public constructor(
    message: String,
    cause: Throwable? = null,
) : SignalboxException(message, cause)

/** The server refuses to run the scripts: scripting is off, or the user's ACL lacks a command. */
public class ScriptNotPermittedException internal constructor(
    message: String,
    cause: Throwable? = null,
) : SignalboxException(message, cause)

/**
 * What is stored under a name has a format that this version of the library does not know: a newer version wrote it, or something else
 * uses the same keys. Nothing was written.
 */
public class UnknownFormatException internal constructor(
    /** The format that this version reads. */
    public val known: String,
    /** The format that was found. */
    public val found: String,
    message: String,
) : SignalboxException(message) {
    /** Makes it. */
    @InternalSignalboxApi
    public companion object {
        /** [what] is stored in the format [found]. */
        public fun of(
            what: String,
            known: String,
            found: String,
        ): UnknownFormatException =
            UnknownFormatException(
                known,
                found,
                "$what is stored in format $found; this version of Signalbox knows format $known. Use the version that the other " +
                    "processes use, or another namespace until all of them are updated.",
            )
    }
}

/** Somebody has ended the semaphore, mutex or event while this call waited for it: see [Semaphore.delete]. The next use creates it anew. */
public class DeletedException internal constructor(
    /** Its name. */
    public val semaphore: String,
    message: String,
) : SignalboxException(message)

/** The client was closed before, or during, the call. */
public class SignalboxClosedException @InternalSignalboxApi public constructor(
    message: String,
) : SignalboxException(message)

/** There was no signal for an [Event.await] in time. It has left the queue. */
public class EventTimeoutException internal constructor(
    /** The name of the event. */
    public val event: String,
    message: String,
) : SignalboxException(message)

/** An [Event.set] found as many signals kept as may be. Nothing was set. */
public class EventFullException internal constructor(
    /** The name of the event. */
    public val event: String,
    /** [EventSettings.maxSignals] of the handle. */
    public val maxSignals: Int,
    message: String,
) : SignalboxException(message)
