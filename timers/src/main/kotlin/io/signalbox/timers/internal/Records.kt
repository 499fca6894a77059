package io.signalbox.timers.internal

import io.signalbox.timers.Recurrence

/**
 * A record is what is stored of a timer besides its times. By its first byte:
 *
 * - `p`: the payload;
 * - `P`: metadata, a newline, the payload;
 * - `r`: a head, a newline, the payload;
 * - `R`: a head, a newline, metadata, a newline, the payload.
 *
 * A head is a recurrence, and a tab and how many occurrences are over if those are counted. Metadata are keys and values by turns, with
 * tabs
 * between them. The scripts look at heads only.
 */
internal object Records {
    fun encode(
        payload: ByteArray,
        recurrence: Recurrence? = null,
        metadata: Map<String, String> = emptyMap(),
    ): ByteArray {
        val kind = if (recurrence == null) "p" else "r"
        val head = if (recurrence == null) "" else head(recurrence, over = 0) + "\n"
        val text =
            if (metadata.isEmpty()) {
                kind + head
            } else {
                kind.uppercase(java.util.Locale.ROOT) + head + metadata.entries.joinToString("\t") { "${it.key}\t${it.value}" } + "\n"
            }
        return text.toByteArray() + payload
    }

    fun head(
        recurrence: Recurrence,
        over: Int,
    ): String = if (recurrence.count == null) recurrence.encoded() else "${recurrence.encoded()}\t$over"

    /** [record] of a recurring timer with another head; as it is if that is `null`. */
    fun withHead(
        record: ByteArray,
        head: String?,
    ): ByteArray {
        if (head == null) return record
        val end = record.indexOf(NEWLINE)
        return byteArrayOf(record[0]) + head.toByteArray() + record.copyOfRange(end, record.size)
    }

    /** Throws if the record is none, or has a recurrence that this version does not know. */
    fun read(record: ByteArray): Content {
        if (record.firstOrNull() == PLAIN) return Content.PLAIN
        val parts = partsOf(record)
        val (recurrence, over) = parts.head?.split('\t')?.let { Pair(Recurrence.decode(it[0]), it.getOrNull(1)?.toInt() ?: 0) }
            ?: Pair(null, 0)
        val metadata = parts.metadata?.split('\t')?.chunked(2)?.associate { (key, value) -> key to value } ?: emptyMap()
        return Content(recurrence, over, metadata)
    }

    /** The record itself if it is none. */
    fun payloadOf(record: ByteArray): ByteArray {
        if (record.firstOrNull()?.toInt()?.toChar() !in KINDS) return record
        return record.copyOfRange(partsOf(record).end, record.size)
    }

    private class Parts(
        val head: String?,
        val metadata: String?,
        val end: Int,
    )

    private fun partsOf(record: ByteArray): Parts {
        val kind = record.firstOrNull()?.toInt()?.toChar()
        require(kind in KINDS) { "The stored record was not written by this library, or by a newer version of it." }
        var at = 1

        fun line(): String {
            var end = at
            while (end < record.size && record[end] != NEWLINE) end++
            require(end < record.size) { "The stored record was cut off." }
            return String(record, at, end - at).also { at = end + 1 }
        }
        val head = if (kind == 'r' || kind == 'R') line() else null
        val metadata = if (kind == 'P' || kind == 'R') line() else null
        return Parts(head, metadata, at)
    }

    private const val KINDS = "pPrR"
    private const val PLAIN = 'p'.code.toByte()
    private const val NEWLINE = '\n'.code.toByte()

    private operator fun String.contains(char: Char?): Boolean = char != null && indexOf(char) >= 0
}

/** What a record says besides the payload. */
internal class Content(
    val recurrence: Recurrence?,
    /** How many occurrences are over, if that matters. */
    val over: Int,
    val metadata: Map<String, String>,
) {
    companion object {
        val PLAIN = Content(null, 0, emptyMap())
    }
}
