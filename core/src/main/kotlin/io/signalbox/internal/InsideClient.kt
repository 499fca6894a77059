package io.signalbox.internal

import io.signalbox.InternalSignalboxApi
import io.signalbox.internal.ledger.ClientIdentity
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.ThreadContextElement

/**
 * Marks a coroutine, and whatever thread it runs on, as the user's code that the goodbye of a client waits for, or whose thread it needs.
 * So it must not wait for that goodbye: closing the client from there returns at once.
 */
@InternalSignalboxApi
public class InsideClient(
    backend: SignalboxBackend,
) : AbstractCoroutineContextElement(Key),
    ThreadContextElement<ClientIdentity?> {
    private val client = backend.client

    override fun updateThreadContext(context: CoroutineContext): ClientIdentity? = enter(client)

    override fun restoreThreadContext(
        context: CoroutineContext,
        oldState: ClientIdentity?,
    ): Unit = leave(oldState)

    public companion object Key : CoroutineContext.Key<InsideClient> {
        private val current = ThreadLocal<ClientIdentity?>()

        private fun enter(client: ClientIdentity): ClientIdentity? = current.get().also { current.set(client) }

        private fun leave(former: ClientIdentity?) = if (former == null) current.remove() else current.set(former)

        /** Runs [action] of the user's on a thread that the goodbye of [client] needs. */
        public fun during(
            client: ClientIdentity,
            action: () -> Unit,
        ) {
            val former = enter(client)
            try {
                action()
            } finally {
                leave(former)
            }
        }

        /** Whether the caller is code that the goodbye of the client of [backend] waits for. */
        public fun isInside(backend: SignalboxBackend): Boolean = current.get() === backend.client
    }
}
