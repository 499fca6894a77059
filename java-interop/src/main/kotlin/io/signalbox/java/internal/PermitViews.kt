@file:OptIn(InternalSignalboxApi::class)

package io.signalbox.java.internal

import io.signalbox.InternalSignalboxApi
import io.signalbox.Permit as CorePermit
import io.signalbox.internal.giveBackUnseen
import io.signalbox.internal.letGo
import io.signalbox.java.AsyncPermit
import io.signalbox.java.Permit
import io.signalbox.java.Registration
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater

/** The two views of [core]. */
internal class PermitViews(
    val core: CorePermit,
    val calls: Calls,
) {
    /** 1 once it was released or closed. */
    @Volatile
    private var ended = 0

    private var asyncView: AsyncPermit? = null
    private var blockingView: Permit? = null

    // Made when asked for: nearly all permits are used through one of them.
    val async: AsyncPermit get() = synchronized(this) { asyncView ?: AsyncView(this).also { asyncView = it } }
    val blocking: Permit get() = synchronized(this) { blockingView ?: BlockingView(this).also { blockingView = it } }

    suspend fun release(): Boolean {
        ended = 1
        return core.release()
    }

    /** Whether it is for the caller to release it. */
    fun end(): Boolean = ENDED.compareAndSet(this, 0, 1)

    fun onLost(action: Runnable): Registration {
        Nulls.given(action, "action")
        val withdrawn = AtomicBoolean()
        val registration = core.onLost { calls.callback { if (!withdrawn.get()) action.run() } }
        return Registration {
            withdrawn.set(true)
            registration.dispose()
        }
    }

    class AsyncView(
        val views: PermitViews,
    ) : AsyncPermit {
        override fun name(): String = views.core.name

        override fun fencingToken(): Long = views.core.fencingToken

        override fun permits(): Int = views.core.permits

        override fun holdersAtGrant(): Int = views.core.holdersAtGrant

        override fun isLost(): Boolean = views.core.isLost

        override fun onLost(action: Runnable): Registration = views.onLost(action)

        override fun release(): CompletableFuture<Boolean> = views.calls.certainFuture { views.release() }

        override fun extend(hold: Duration): CompletableFuture<Boolean> = views.calls.given(hold, "hold").future {
            views.core.extend(hold.kotlin())
        }

        override fun close() {
            if (views.end()) views.core.letGo()
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

        override fun extend(hold: Duration): Boolean = views.calls.given(hold, "hold").block { views.core.extend(hold.kotlin()) }

        override fun close() {
            if (views.end()) views.core.letGo()
        }

        override fun async(): AsyncPermit = views.async

        override fun toString(): String = views.core.toString()
    }

    private companion object {
        /** Not an atomic object: views are made for every grant. */
        val ENDED: AtomicIntegerFieldUpdater<PermitViews> = AtomicIntegerFieldUpdater.newUpdater(PermitViews::class.java, "ended")
    }
}

/** Gives back what nobody was there any more to get. */
internal fun AsyncPermit.discard() = (this as PermitViews.AsyncView).views.core.giveBackUnseen()
