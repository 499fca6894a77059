package io.signalbox.java.internal

import io.signalbox.Event as CoreEvent
import io.signalbox.java.AsyncEvent
import io.signalbox.java.Event
import java.time.Duration
import java.util.concurrent.CompletableFuture

/** The two views of [core]. A signal that nobody wants any more when it arrives was consumed by then: it is set again. */
internal class EventViews(
    val core: CoreEvent,
    val calls: Calls,
) {
    val async: AsyncEvent = AsyncView(this)
    val blocking: Event = BlockingView(this)

    private class AsyncView(
        private val views: EventViews,
    ) : AsyncEvent {
        private val core = views.core
        private val calls = views.calls

        override fun name(): String = core.name

        override fun set(): CompletableFuture<Void?> =
            calls.future {
                core.set()
                null
            }

        override fun await(): CompletableFuture<Void?> =
            calls.future({ core.set() }) {
                core.await()
                null
            }

        override fun await(timeout: Duration): CompletableFuture<Void?> =
            calls.given(timeout, "timeout").future({ core.set() }) {
                core.await(timeout.kotlin())
                null
            }

        override fun tryAwait(timeout: Duration): CompletableFuture<Boolean> =
            calls.given(timeout, "timeout").future({ if (it) core.set() }) { core.tryAwait(timeout.kotlin()) }

        override fun clear(): CompletableFuture<Int> = calls.future { core.clear() }

        override fun delete(): CompletableFuture<Boolean> = calls.future { core.delete() }

        override fun isSet(): CompletableFuture<Boolean> = calls.future { core.isSet() }

        override fun blocking(): Event = views.blocking

        override fun toString(): String = core.toString()
    }

    private class BlockingView(
        private val views: EventViews,
    ) : Event {
        private val core = views.core
        private val calls = views.calls

        override fun name(): String = core.name

        override fun set() = calls.block { core.set() }

        override fun await() = calls.block({ core.set() }) { core.await() }

        override fun await(timeout: Duration) = calls.given(timeout, "timeout").block({ core.set() }) { core.await(timeout.kotlin()) }

        override fun tryAwait(timeout: Duration): Boolean = calls.given(timeout, "timeout").block({
            if (it) core.set()
        }) { core.tryAwait(timeout.kotlin()) }

        override fun clear(): Int = calls.block { core.clear() }

        override fun delete(): Boolean = calls.block { core.delete() }

        override fun isSet(): Boolean = calls.block { core.isSet() }

        override fun async(): AsyncEvent = views.async

        override fun toString(): String = core.toString()
    }
}
