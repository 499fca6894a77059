package io.signalbox.timers

import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext

/**
 * What travels beside payloads: a trace, a tenant, a correlation id. Timers that are set within a coroutine that has it carry its
 * [entries]; a
 * handler's coroutine has those of its timer, so that they go on to timers which the handler sets.
 *
 * ```
 * withContext(TimerMetadata(mapOf("tenant" to "acme"))) { timers.schedule(Reminders, "42", reminder, after = 5.minutes) }
 * ```
 *
 * Recurring timers do not take it: which process set them last means nothing.
 *
 * @property entries at most 64; keys not blank; keys and values without control characters and lone surrogates; 8 KiB in all.
 */
public class TimerMetadata(
    entries: Map<String, String>,
) : AbstractCoroutineContextElement(TimerMetadata) {
    public val entries: Map<String, String> = entries.toMap()

    override fun toString(): String = "TimerMetadata(${entries.keys.joinToString()})"

    public companion object Key : CoroutineContext.Key<TimerMetadata>
}
