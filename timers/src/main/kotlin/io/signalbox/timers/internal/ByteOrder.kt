package io.signalbox.timers.internal

/**
 * Texts in the order of their bytes in UTF-8, as a sorted set has its members: the one order of ids and topics. That of Kotlin differs
 * where
 * a surrogate meets a character above the surrogates.
 */
internal object ByteOrder : Comparator<String> {
    override fun compare(
        one: String,
        other: String,
    ): Int {
        for (i in 0 until minOf(one.length, other.length)) {
            if (one[i] != other[i]) return weight(one[i]) - weight(other[i])
        }
        return one.length - other.length
    }

    private fun weight(char: Char): Int = if (char.isSurrogate()) char.code + ABOVE_ALL else char.code

    private const val ABOVE_ALL = 0x10000
}
