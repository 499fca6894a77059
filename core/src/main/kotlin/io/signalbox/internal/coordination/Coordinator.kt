package io.signalbox.internal.coordination

/** One client's side of one semaphore, as its client manages it. */
internal interface Coordinator {
    /** Names the count for a handle that has joined; it may have been attached. */
    fun declare(wanted: HandleSettings)

    /** Fails what waits, gives back what is held, and says goodbye. Idempotent. */
    fun close()

    suspend fun awaitFarewell()
}
