package io.signalbox.timers.internal

import io.signalbox.timers.Recurrence

/**
 * A record is what is stored of a timer besides its times: `p` and the payload, or `r`, the recurrence, a newline and the payload. The
 * store does not look into it.
 */
internal object Records {
    private const val PLAIN = 'p'.code.toByte()
    private const val RECURRING = 'r'.code.toByte()
    private const val END = '\n'.code.toByte()

    fun encode(
        payload: ByteArray,
        recurrence: Recurrence? = null,
    ): ByteArray {
        if (recurrence == null) {
            return ByteArray(payload.size + 1).also {
                it[0] = PLAIN
                payload.copyInto(it, 1)
            }
        }
        return byteArrayOf(RECURRING) + recurrence.encoded().toByteArray() + END + payload
    }

    /** Throws if the record is none, or has a recurrence that this version does not know. */
    fun recurrenceOf(record: ByteArray): Recurrence? =
        when (record.firstOrNull()) {
            PLAIN -> null
            RECURRING -> Recurrence.decode(String(record, 1, endOf(record) - 1))
            else -> throw IllegalArgumentException("The stored record was not written by this library, or by a newer version of it.")
        }

    fun payloadOf(record: ByteArray): ByteArray =
        when (record.firstOrNull()) {
            PLAIN -> record.copyOfRange(1, record.size)
            RECURRING -> record.copyOfRange(endOf(record) + 1, record.size)
            else -> record
        }

    private fun endOf(record: ByteArray): Int {
        val end = record.indexOf(END)
        require(end > 0) { "The stored record was cut off." }
        return end
    }
}
