package io.signalbox.timers

import java.time.Instant
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration

/** Moments and spans as tests want to write them. */
operator fun Instant.plus(duration: Duration): Instant = plus(duration.toJavaDuration())

operator fun Instant.minus(duration: Duration): Instant = minus(duration.toJavaDuration())

operator fun Instant.minus(other: Instant): Duration = java.time.Duration.between(other, this).toKotlinDuration()
