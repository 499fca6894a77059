package io.signalbox

/**
 * What [Signalbox.semaphore] does if the semaphore exists with another declaration than the one given. Only a handle's first join looks at it: a process that
 * runs goes on under whatever is declared later.
 *
 * While two versions of a service run at once, each process declares when it starts, so under [RESIZE] the one that started last has decided, and one of the old version
 * that is restarted decides again; it is settled when the last one of the new version has started. Never are more permits granted than the largest of the counts declared meanwhile.
 * If the server loses its data, whoever creates the semaphore anew does so with its own count.
 */
public enum class OnMismatch {
    /** Fails with [PermitsMismatchException]. */
    FAIL,

    /** The newest declaration wins: it is recorded, and the count is changed to it as by [Semaphore.redeclare]. */
    RESIZE,

    /** Joins with what is there, as [Signalbox.attach] does; the own count is for creating it, if there is none. */
    ATTACH,
}
