package io.signalbox.timers.internal

import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.coordination.roundUp
import io.signalbox.timers.internal.ledger.Due
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days

/** What may be written. Everything is checked before the first byte of it is sent. */
internal object Limits {
    const val MAX_TOPIC_BYTES = 256
    const val MAX_ID_BYTES = 512

    /** What every calendar can show. */
    val LAST: Instant = Instant.ofEpochMilli(253_402_300_799_999)
    val LONGEST = (365 * 1000).days

    fun requireTopic(name: String): String = requireName("name of a topic", name, MAX_TOPIC_BYTES)

    fun requireId(id: String): String = requireName("id of a timer", id, MAX_ID_BYTES)

    fun after(after: Duration): Due {
        require(after >= Duration.ZERO) { "after must not be negative, but was $after. Zero is due at once." }
        require(after <= LONGEST) { "after must be at most $LONGEST, but was $after." }
        return Due.after(roundUp(after))
    }

    fun at(
        at: Instant,
        what: String = "at",
    ): Due {
        require(at <= LAST) { "$what must not be later than the year 9999, but was $at." }
        return Due.at(if (at < Instant.EPOCH) 0 else millis(at, roundUp = true))
    }

    /** What travels beside a payload; see [io.signalbox.timers.TimerMetadata]. */
    fun requireMetadata(metadata: Map<String, String>): Map<String, String> {
        if (metadata.isEmpty()) return metadata
        require(metadata.size <= MAX_ENTRIES) { "metadata must have at most $MAX_ENTRIES entries, but have ${metadata.size}." }
        var bytes = 0
        for ((key, value) in metadata) {
            require(key.isNotBlank()) { "The keys of metadata must not be blank, but one is \"$key\"." }
            for (text in listOf(key, value)) {
                val encoded = Charsets.UTF_8.newEncoder().canEncode(text)
                require(encoded && text.none(Char::isISOControl)) {
                    "metadata must not contain control characters or lone surrogates, but the entry \"${key.filterNot(
                        Char::isISOControl,
                    )}\" does."
                }
                bytes += text.toByteArray().size
            }
        }
        require(bytes <= MAX_METADATA_BYTES) { "metadata must have at most $MAX_METADATA_BYTES bytes of UTF-8 in all, but have $bytes." }
        return metadata
    }

    private const val MAX_ENTRIES = 64
    private const val MAX_METADATA_BYTES = 8192

    /** Milliseconds since 1970 of a moment that is not before that, nor after [LAST]. */
    fun millis(
        moment: Instant,
        roundUp: Boolean,
    ): Long = moment.toEpochMilli() + if (roundUp && moment.nano % NANOS > 0) 1 else 0

    private const val NANOS = 1_000_000
}
