package io.signalbox.java.internal

import io.signalbox.InMemoryStore
import kotlinx.coroutines.CoroutineScope

/** What is behind [io.signalbox.java.InMemoryStore]. */
internal class Memory private constructor(
    val store: InMemoryStore,
    /** Where its clients live; `null` for scopes of their own. */
    val scope: CoroutineScope?,
) {
    companion object {
        @JvmStatic
        fun realTime(): Memory = Memory(InMemoryStore(), scope = null)
    }
}
