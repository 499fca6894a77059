package io.signalbox.internal.ledger

/** A label among numbers: how many there are, and its bytes, six in each. So it passes wherever numbers do, in announcements too. */
internal object Labels {
    private const val BYTES = 6
    private const val BITS = 8
    private const val FULL = 256L

    fun encoded(label: String): String {
        // A one in front of each keeps zeros.
        val numbers = label.toByteArray().toList().chunked(BYTES).map { some ->
            some.fold(1L) { number, byte -> (number shl BITS) or (byte.toLong() and FULL - 1) }
        }
        return (listOf(numbers.size.toLong()) + numbers).joinToString(" ")
    }

    fun decoded(numbers: List<Long>): String {
        val bytes = ArrayList<Byte>()
        for (number in numbers) {
            val some = ArrayList<Byte>()
            var left = number
            while (left > 1) {
                some.add(0, (left and FULL - 1).toByte())
                left = left shr BITS
            }
            bytes += some
        }
        return String(bytes.toByteArray())
    }
}
