package io.signalbox.internal

import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/** A handle is shared, so all who ask for it must mean the same. */
internal fun requireSame(
    title: String,
    known: String?,
    wanted: String,
) {
    require(known == null || known == wanted) {
        "$title is already in use in this client with $known, and now asked for with $wanted. A client has one handle per name: give the " +
            "same settings."
    }
}

/** One handle per name within a client. */
internal class Handles<H : Any> {
    private class Slot<H> {
        val creation = Mutex()

        @Volatile
        var handle: H? = null
    }

    private val slots = ConcurrentHashMap<String, Slot<H>>()

    val all: List<H> get() = slots.values.mapNotNull { it.handle }

    /** Keeps what [choose] makes of the handle known so far, one call at a time for a name; `null` changes nothing. */
    suspend fun choose(
        name: String,
        choose: suspend (known: H?) -> H?,
    ): H? {
        val slot = slots.computeIfAbsent(name) { Slot() }
        return slot.creation.withLock { choose(slot.handle)?.also { slot.handle = it } }
    }
}
