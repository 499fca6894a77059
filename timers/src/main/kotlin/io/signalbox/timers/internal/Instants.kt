package io.signalbox.timers.internal

import java.time.Instant
import kotlin.time.Duration
import kotlin.time.toJavaDuration

/** The moment [duration] later. Java's moments, because Kotlin's own ask users of older compilers for an opt-in. */
internal operator fun Instant.plus(duration: Duration): Instant = plus(duration.toJavaDuration())

internal operator fun Instant.minus(duration: Duration): Instant = minus(duration.toJavaDuration())
