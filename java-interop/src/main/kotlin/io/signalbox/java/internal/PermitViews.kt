package io.signalbox.java.internal

import io.signalbox.Permit as CorePermit
import io.signalbox.java.AsyncPermit
import io.signalbox.java.Permit
import io.signalbox.java.Registration
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.atomic.AtomicBoolean

/** The two views of [core]. */
internal class PermitViews(
    val core: CorePermit,
    val calls: Calls,
) {
    /** Whether it was released or closed. */
    private val ended = AtomicBoolean()

    val async: AsyncPermit = AsyncView(this)
    val blocking: Permit = BlockingView(this)

    suspend fun release(): Boolean {
        ended.set(true)
        return core.release()
    }

    /** Whether it is for the caller to release it. */
    fun end(): Boolean = ended.compareAndSet(false, true)

    fun onLost(action: Runnable): Registration {
        val withdrawn = AtomicBoolean()
        val registration = core.onLost { calls.callback { if (!withdrawn.get()) action.run() } }
        return Registration {
            withdrawn.set(true)
            registration.dispose()
        }
    }

    private class AsyncView(
        private val views: PermitViews,
    ) : AsyncPermit {
        override fun name(): String = views.core.name

        override fun fencingToken(): Long = views.core.fencingToken

        override fun permits(): Int = views.core.permits

        override fun holdersAtGrant(): Int = views.core.holdersAtGrant

        override fun isLost(): Boolean = views.core.isLost

        override fun onLost(action: Runnable): Registration = views.onLost(action)

        override fun release(): CompletableFuture<Boolean> = views.calls.future { views.release() }

        override fun extend(hold: Duration): CompletableFuture<Boolean> = views.calls.future { views.core.extend(hold.kotlin()) }

        override fun close() {
            if (views.end()) views.calls.forget { views.core.release() }
        }

        override fun blocking(): Permit = views.blocking

        override fun toString(): String = views.core.toString()
    }

    private class BlockingView(
        private val views: PermitViews,
    ) : Permit {
        override fun name(): String = views.core.name

        override fun fencingToken(): Long = views.core.fencingToken

        override fun permits(): Int = views.core.permits

        override fun holdersAtGrant(): Int = views.core.holdersAtGrant

        override fun isLost(): Boolean = views.core.isLost

        override fun onLost(action: Runnable): Registration = views.onLost(action)

        override fun release(): Boolean = views.calls.block(always = true) { views.release() }

        override fun extend(hold: Duration): Boolean = views.calls.block { views.core.extend(hold.kotlin()) }

        override fun close() {
            if (views.end()) views.calls.linger { views.core.release() }?.let { throw it }
        }

        override fun async(): AsyncPermit = views.async

        override fun toString(): String = views.core.toString()
    }
}
