package io.signalbox.internal

import org.slf4j.Logger

/** What somebody else's code throws, shown without trusting it: its own methods may throw as well. */
internal fun described(problem: Throwable): String =
    try {
        problem.toString()
    } catch (_: Throwable) {
        "a ${problem.javaClass.name} that cannot be shown"
    }

internal fun Logger.warnSafely(
    text: String,
    problem: Throwable,
) = logged(problem, { warn(text, problem) }) { warn("{}: {}", text, it) }

internal fun Logger.errorSafely(
    text: String,
    problem: Throwable,
) = logged(problem, { error(text, problem) }) { error("{}: {}", text, it) }

private inline fun logged(
    problem: Throwable,
    whole: () -> Unit,
    described: (String) -> Unit,
) {
    try {
        whole()
    } catch (_: Throwable) {
        try {
            described(described(problem))
        } catch (_: Throwable) {
            // Not even that can be logged.
        }
    }
}
