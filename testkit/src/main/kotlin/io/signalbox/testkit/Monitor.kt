package io.signalbox.testkit

import java.time.Duration
import java.util.concurrent.locks.Condition
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/**
 * Guards the state of a proxy and of all its connections; whoever waits is woken by every change. Except who waits on a [corner]: with
 * hundreds of connections, bytes on one must not wake the threads of all others.
 */
internal class Monitor {
    private val lock = ReentrantLock()
    private val changed: Condition = lock.newCondition()
    private val corners = mutableListOf<Condition>()

    /** A place to wait for [changeIn] it, and for every [change]. */
    fun corner(): Condition = lock.withLock { lock.newCondition().also { corners += it } }

    /** Wakes nobody: for what nobody waits for. */
    inline fun <T> look(action: () -> T): T = lock.withLock(action)

    inline fun <T> change(action: () -> T): T = lock.withLock {
        action().also {
            changed.signalAll()
            corners.forEach(Condition::signalAll)
        }
    }

    /** A change that does not concern those who wait on other corners. */
    inline fun changeIn(corner: Condition, action: () -> Unit) = lock.withLock {
        action()
        changed.signalAll()
        corner.signalAll()
    }

    /** Waits until [attempt] has a result; it says through [Wait] how long it can do without being asked again. */
    inline fun <T> await(corner: Condition = changed, attempt: Wait.() -> T?): T? = lock.withLock {
        val wait = Wait()
        while (!wait.isOver) {
            wait.nanos = Long.MAX_VALUE
            wait.attempt()?.let { return it }
            if (!wait.isOver) corner.awaitNanos(wait.nanos)
        }
        null
    }

    /** Nobody will wait there any more. */
    fun leave(corner: Condition) {
        lock.withLock { corners -= corner }
    }

    /** As [await], but fails with [problem] when time is out. */
    inline fun <T : Any> await(timeout: Duration, problem: () -> String, attempt: () -> T?): T {
        val deadline = System.nanoTime() + timeout.nanosAtMost()
        val result = await {
            attempt().also {
                nanos = deadline - System.nanoTime()
                isOver = nanos <= 0
            }
        }
        return checkNotNull(result) { "${problem()} within $timeout" }
    }

    class Wait {
        var nanos = Long.MAX_VALUE
        var isOver = false
    }
}

/** In nanoseconds, of a span that may be the longest there is: a hundred years at most, so that it can be added to a moment. */
internal fun Duration.nanosAtMost(): Long = minOf(this, LONGEST).toNanos()

private val LONGEST = Duration.ofDays(36_500)
