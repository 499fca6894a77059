package io.signalbox.timers.internal

import org.slf4j.Logger

/** What user code throws, shown without trusting it: its `getMessage` or `toString` may throw as well, or run out of stack. */
internal object Problems {
    private const val MOST = 500

    /** The class, and the message if there is one to be had. */
    fun describe(problem: Throwable): String {
        val message =
            try {
                problem.message
            } catch (_: Throwable) {
                "its message cannot be shown"
            }
        return "${problem.javaClass.name}: $message".take(MOST)
    }

    /** Logs with [problem], or without it if it cannot be logged. */
    inline fun log(
        log: Logger,
        problem: Throwable,
        write: (shown: Throwable?) -> Unit,
    ) {
        try {
            write(problem)
        } catch (_: Throwable) {
            write(null)
            log.warn("The problem, a {}, cannot be shown", problem.javaClass.name)
        }
    }
}
