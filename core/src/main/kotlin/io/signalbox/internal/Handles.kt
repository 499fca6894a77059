package io.signalbox.internal

import java.lang.ref.ReferenceQueue
import java.lang.ref.WeakReference
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

/** One handle per name within a client, as long as somebody has it or it has something to do; who asks later gets another. */
internal class Handles<H : Any> {
    private class Slot<H : Any> {
        val creation = Mutex()

        /** How many calls are about to use it. Changed within the map only, as is the slot's place there. */
        var users = 0

        @Volatile
        var kept: Kept<H>? = null

        val handle: H? get() = kept?.get()
        val isVoid: Boolean get() = users == 0 && handle == null
    }

    private class Kept<H : Any>(
        val name: String,
        handle: H,
        queue: ReferenceQueue<H>,
    ) : WeakReference<H>(handle, queue)

    private val slots = ConcurrentHashMap<String, Slot<H>>()
    private val forgotten = ReferenceQueue<H>()

    val all: List<H> get() = slots.values.mapNotNull { it.handle }

    /** Keeps what [choose] makes of the handle known so far, one call at a time for a name; `null` changes nothing. */
    suspend fun choose(
        name: String,
        choose: suspend (known: H?) -> H?,
    ): H? {
        removeForgotten()
        val slot = slots.compute(name) { _, known -> (known ?: Slot()).also { it.users++ } }!!
        try {
            return slot.creation.withLock {
                var chosen: H?
                do {
                    // One that was made at once may have come meanwhile: then that is the one known.
                    val known = slot.handle
                    chosen = choose(known) ?: return null
                } while (!keep(name, slot, known, chosen))
                chosen
            }
        } finally {
            leave(name)
        }
    }

    /** [choose] for what needs nobody's answer. Waits for nobody who does. */
    fun chooseNow(
        name: String,
        choose: (known: H?) -> H,
    ): H {
        removeForgotten()
        val slot = slots.compute(name) { _, known -> (known ?: Slot()).also { it.users++ } }!!
        try {
            while (true) {
                val known = slot.handle
                val chosen = choose(known)
                if (keep(name, slot, known, chosen)) return chosen
            }
        } finally {
            leave(name)
        }
    }

    /** Whether [chosen] is the handle from now on; false if it is not [known] any more what it was chosen for. */
    private fun keep(
        name: String,
        slot: Slot<H>,
        known: H?,
        chosen: H,
    ): Boolean =
        synchronized(slot) {
            val isCurrent = slot.handle === known
            if (isCurrent && chosen !== known) slot.kept = Kept(name, chosen, forgotten)
            isCurrent
        }

    private fun leave(name: String) {
        slots.computeIfPresent(name) { _, used -> used.takeUnless { --used.users == 0 && used.handle == null } }
    }

    private fun removeForgotten() {
        while (true) {
            val kept = forgotten.poll() as Kept<*>? ?: return
            slots.computeIfPresent(kept.name) { _, slot -> slot.takeUnless { it.isVoid } }
        }
    }
}
