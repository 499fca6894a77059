package io.signalbox.java.internal

import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.Executor
import java.util.concurrent.atomic.AtomicBoolean

/**
 * Runs tasks on [executor], several in one of its own: an answer completes hundreds of futures at once, and each task costs more than what it does.
 *
 * Nobody waits for a neighbour that blocks: whoever runs a task has asked for somebody else who takes the next one.
 */
internal class SharedTasks(
    private val executor: Executor,
) : Executor {
    private val tasks = ConcurrentLinkedQueue<Runnable>()

    /** Whether a task of the executor is asked for that has not begun. */
    private val asked = AtomicBoolean()

    override fun execute(task: Runnable) {
        tasks.add(task)
        ask()
    }

    private fun ask() {
        if (asked.get() || !asked.compareAndSet(false, true)) return
        try {
            executor.execute(::run)
        } catch (refusal: Throwable) {
            asked.set(false)
            throw refusal
        }
    }

    private fun run() {
        asked.set(false)
        repeat(MOST) {
            val task = tasks.poll() ?: return
            if (!tasks.isEmpty()) ask()
            task.run()
        }
        if (!tasks.isEmpty()) ask()
    }

    private companion object {
        /** Then others who use the executor have their turn. */
        const val MOST = 100
    }
}
