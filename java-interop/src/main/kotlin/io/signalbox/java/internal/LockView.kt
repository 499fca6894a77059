@file:OptIn(InternalSignalboxApi::class)

package io.signalbox.java.internal

import io.signalbox.InternalSignalboxApi
import io.signalbox.Permit as CorePermit
import io.signalbox.internal.letGo
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.Condition
import java.util.concurrent.locks.Lock
import kotlin.time.Duration.Companion.nanoseconds

/** A mutex as the interface of the JDK, reentrant per thread. */
internal class LockView(
    private val views: MutexViews,
) : Lock {
    /** What a thread holds, and how often it has locked. */
    private class Hold(
        val permit: CorePermit,
    ) {
        var count = 1
    }

    private val core = views.core
    private val calls = views.calls
    private val hold = ThreadLocal<Hold>()

    override fun lock() {
        if (!reentered()) begin(calls.blockAnyway { core.lock() })
    }

    override fun lockInterruptibly() {
        if (Thread.interrupted()) throw InterruptedException()
        if (!reentered()) begin(calls.block(CorePermit::discard) { core.lock() })
    }

    override fun tryLock(): Boolean = reentered() || begun(calls.blockAnyway { core.tryLock() })

    override fun tryLock(
        time: Long,
        unit: TimeUnit,
    ): Boolean {
        if (Thread.interrupted()) throw InterruptedException()
        if (reentered()) return true
        val limit = unit.toNanos(maxOf(time, 0)).nanoseconds
        return begun(calls.block<CorePermit?>({ it?.discard() }) { core.tryLock(limit) })
    }

    override fun unlock() {
        val held = hold.get() ?: throw IllegalMonitorStateException("Mutex '${core.name}' is not locked by this thread through asLock().")
        if (--held.count > 0) return
        hold.remove()
        views.heldHere.remove()
        if (!held.permit.letGo()) throw lost()
    }

    override fun newCondition(): Condition =
        throw UnsupportedOperationException("A lock shared by processes has no conditions: use an event.")

    /** Whether this thread held it before. */
    private fun reentered(): Boolean {
        val held = hold.get()
        if (held == null) {
            check(!views.isHeldHere()) {
                "Mutex '${core.name}' is already locked by this thread through withLock, which is not reentered: use asLock() in both."
            }
            return false
        }
        if (held.permit.isLost) throw lost()
        held.count++
        return true
    }

    private fun begun(permit: CorePermit?): Boolean {
        if (permit != null) begin(permit)
        return permit != null
    }

    private fun begin(permit: CorePermit) {
        hold.set(Hold(permit))
        views.heldHere.set(permit)
    }

    private fun lost() =
        IllegalMonitorStateException("Mutex '${core.name}' was lost while this thread held it: somebody else may hold it now.")

    override fun toString(): String = "Lock(name=${core.name})"
}
