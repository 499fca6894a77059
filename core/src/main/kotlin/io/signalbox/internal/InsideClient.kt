package io.signalbox.internal

import io.signalbox.InternalSignalboxApi
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.ThreadContextElement

/**
 * Marks a coroutine, and whatever thread it runs on, as the user's code that the goodbye of a client waits for. So it must not wait for that
 * goodbye: closing the client from there returns at once.
 */
@InternalSignalboxApi
public class InsideClient(
    private val backend: SignalboxBackend,
) : AbstractCoroutineContextElement(Key),
    ThreadContextElement<InsideClient?> {
    override fun updateThreadContext(context: CoroutineContext): InsideClient? = current.get().also { current.set(this) }

    override fun restoreThreadContext(
        context: CoroutineContext,
        oldState: InsideClient?,
    ) {
        if (oldState == null) current.remove() else current.set(oldState)
    }

    public companion object Key : CoroutineContext.Key<InsideClient> {
        private val current = ThreadLocal<InsideClient?>()

        /** Whether the caller is code that the goodbye of the client of [backend] waits for. */
        public fun isInside(backend: SignalboxBackend): Boolean = current.get()?.backend === backend
    }
}
