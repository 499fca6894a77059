package io.signalbox.internal.coordination

import io.signalbox.InternalSignalboxApi
import java.util.Locale
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds

internal val MAX_HOLD: Duration = 365.days

/** The rules for names and namespaces: whatever passes makes an injective key with one hash tag. */
@InternalSignalboxApi
public fun requireName(
    what: String,
    value: String,
    maxBytes: Int,
): String {
    require(value.isNotBlank()) { "The $what must not be blank, but was \"${printable(value)}\"." }
    val offender = value.indices.firstOrNull { isForbidden(value, it) }
    require(offender == null) {
        "The $what \"${printable(value)}\" must not contain braces, control characters or lone surrogates, but has " +
            "U+%04X at index %d.".format(Locale.ROOT, value[offender!!].code, offender)
    }
    requireBytes(what, value, maxBytes)
    return value
}

internal fun requireLabel(value: String): String {
    val offender = value.indices.firstOrNull { value[it].isISOControl() || isLoneSurrogate(value, it) }
    require(offender == null) { "The label \"${printable(value)}\" must not contain control characters or lone surrogates." }
    requireBytes("label", value, maxBytes = 128)
    return value
}

private fun requireBytes(
    what: String,
    value: String,
    maxBytes: Int,
) {
    val bytes = value.toByteArray().size
    require(bytes <= maxBytes) { "The $what must have at most $maxBytes bytes of UTF-8, but \"${printable(value)}\" has $bytes." }
}

private fun isForbidden(
    text: String,
    index: Int,
): Boolean = text[index] == '{' || text[index] == '}' || text[index].isISOControl() || isLoneSurrogate(text, index)

private fun isLoneSurrogate(
    text: String,
    index: Int,
): Boolean =
    when {
        text[index].isHighSurrogate() -> index + 1 >= text.length || !text[index + 1].isLowSurrogate()
        text[index].isLowSurrogate() -> index == 0 || !text[index - 1].isHighSurrogate()
        else -> false
    }

/** Error texts end up in logs and terminals: nothing that moves a cursor or turns the line around, and not a megabyte. */
private fun printable(value: String): String {
    val shown = value.codePoints().limit(80).toArray().joinToString("") {
        if (isPlain(it)) Character.toString(it) else "\\u%04X".format(Locale.ROOT, it)
    }
    return if (value.codePointCount(0, value.length) > 80) "$shown..." else shown
}

private fun isPlain(codePoint: Int): Boolean =
    when (Character.getType(codePoint).toByte()) {
        Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> false
        else -> true
    }

/** [value] in whole milliseconds, rounded up; from 1 ms to [most], within [least]. */
@InternalSignalboxApi
public fun wholeMillis(
    what: String,
    value: Duration,
    most: Duration,
    least: Duration = 1.milliseconds,
): Long {
    require(value > Duration.ZERO) { "$what must be longer than zero, but was $value." }
    require(value <= most) { "$what must be at most $most, but was $value." }
    require(value >= least || least == 1.milliseconds) { "$what must be at least $least, but was $value." }
    return roundUp(value)
}

/** A minimum hold in whole milliseconds, rounded up, 0 for none, for what may be held for [maxMillis], or -1 without a limit. */
internal fun minHoldMillis(
    value: Duration,
    maxMillis: Long,
): Long {
    require(value >= Duration.ZERO) { "minHold must not be negative, but was $value. Zero is no minimum." }
    require(value <= MAX_HOLD) { "minHold must be at most $MAX_HOLD, but was $value." }
    require(maxMillis < 0 || roundUp(value) <= maxMillis) { "minHold must be at most maxHold, ${maxMillis.milliseconds}, but was $value." }
    return roundUp(value)
}

/** Sub-millisecond rests count as a millisecond, so that no positive duration becomes zero. */
@InternalSignalboxApi
public fun roundUp(value: Duration): Long {
    val millis = value.inWholeMilliseconds
    return if (value > millis.milliseconds) millis + 1 else millis
}

/** A limit of waiting: zero or more, infinite allowed. */
@InternalSignalboxApi
public fun requireTimeout(value: Duration): Duration {
    require(value >= Duration.ZERO) { "timeout must not be negative, but was $value. Zero tries once without waiting." }
    return value
}
