package io.signalbox.internal.coordination

import io.signalbox.internal.ClosesWithClient

/** One client's side of one semaphore, as its client manages it. Closing it fails what waits and gives back what is held. */
internal interface Coordinator : ClosesWithClient {
    /** Names the count for a handle that has joined; it may have been attached. */
    fun declare(wanted: HandleSettings)
}
