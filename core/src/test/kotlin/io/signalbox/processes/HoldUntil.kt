package io.signalbox.processes

import io.signalbox.Permit
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay

private const val BEAT_NANOS = 20_000_000L

/**
 * Holds from [begin] to [end], and tells now and then by [say] that it still does. Returns the last moment at which the permit was certainly
 * not lost. All by the monotonic clock.
 */
internal suspend fun Permit.holdUntil(
    begin: Long,
    end: Long,
    say: (heldAt: Long) -> Unit,
): Long {
    var held = begin
    var said = begin
    while (true) {
        val now = System.nanoTime()
        if (isLost) return held
        held = now
        if (held >= end) return held
        if (held - said > BEAT_NANOS) {
            said = held
            say(held)
        }
        delay(1.milliseconds)
    }
}
