package io.signalbox.timers.internal

import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.coordination.roundUp
import io.signalbox.timers.internal.ledger.Due
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Instant

/** What may be written. Everything is checked before the first byte of it is sent. */
internal object Limits {
    const val MAX_TOPIC_BYTES = 256
    const val MAX_ID_BYTES = 512

    /** 9999-12-31T23:59:59.999Z: what every calendar can show. */
    private const val LAST_MOMENT = 253_402_300_799_999
    private val LONGEST = (365 * 1000).days

    fun requireTopic(name: String): String = requireName("name of a topic", name, MAX_TOPIC_BYTES)

    fun requireId(id: String): String = requireName("id of a timer", id, MAX_ID_BYTES)

    fun after(after: Duration): Due {
        require(after >= Duration.ZERO) { "after must not be negative, but was $after. Zero is due at once." }
        require(after <= LONGEST) { "after must be at most $LONGEST, but was $after." }
        return Due.after(roundUp(after))
    }

    fun at(at: Instant): Due {
        val millis = at.toEpochMilliseconds().let { if (at.nanosecondsOfSecond % 1_000_000 > 0) it + 1 else it }
        require(millis <= LAST_MOMENT) { "at must not be later than the year 9999, but was $at." }
        return Due.at(millis)
    }
}
