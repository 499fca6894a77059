package io.signalbox.java.internal

import java.time.Duration as JavaDuration
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration

/** What is longer than some millions of years is for ever. */
internal fun JavaDuration.kotlin(): Duration = toKotlinDuration()

internal fun Duration.java(): JavaDuration = toJavaDuration()
