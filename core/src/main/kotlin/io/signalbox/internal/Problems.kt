package io.signalbox.internal

import kotlin.time.Duration

/** What this and its causes say, each thing once: the first of a chain often knows least. */
internal fun Throwable?.inWords(): String {
    if (this == null) return "no answer of any kind (is it the right port, with TLS at both ends or at neither?)"
    val said = ArrayList<String>()
    for (text in generateSequence(this) { it.cause }.take(CAUSES).map { it.message?.trim().orEmpty() }) {
        if (text.isNotEmpty() && said.none { text in it }) said += text.take(MOST)
    }
    // A wrapper's text that only repeats its cause's says less than that.
    return said.filterIndexed { index, text ->
        said.drop(index + 1).none { text in it }
    }.joinToString(": ").ifEmpty { javaClass.simpleName }
}

/** A limit as it is told to people. */
internal fun Duration.orNone(): String = if (isInfinite()) "none" else toString()

internal fun Int.orNone(): String = if (this == Int.MAX_VALUE) "none" else toString()

private const val CAUSES = 6
private const val MOST = 300
