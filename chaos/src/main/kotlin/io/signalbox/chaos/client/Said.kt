package io.signalbox.chaos.client

/** A line of a client's history: what one of its coroutines has lived through. What the words and numbers mean is in [What]. */
internal class Said(
    /** When it was said, by the monotonic clock of the machine, which all processes share. */
    val nanos: Long,
    val what: What,
    val worker: Int,
    val thing: String,
    val a: Long = 0,
    val b: Long = 0,
    val c: Long = 0,
    val d: Long = 0,
) {
    override fun toString(): String = "$nanos $what $worker $thing $a $b $c $d"

    companion object {
        /** `null` for the last line of a process that was killed while it wrote. */
        fun parse(line: String): Said? {
            val words = line.split(' ')
            if (words.size != 8) return null
            val numbers = words.drop(4).map { it.toLongOrNull() ?: return null }
            return Said(
                words[0].toLong(),
                What.valueOf(words[1]),
                words[2].toInt(),
                words[3],
                numbers[0],
                numbers[1],
                numbers[2],
                numbers[3],
            )
        }
    }
}

/** The kinds of lines; behind it the meaning of the numbers. [operations] says how many calls of the library have come to an end with it. */
internal enum class What(
    val operations: Int = 0,
) {
    /** An acquire begins. */
    ASKING,

    /** A permit is held, and will be for a while: permits, token, begin, until now. */
    HOLDING,

    /** A permit was held, its release begins: permits, token, begin, end. */
    HELD(1),

    /** Token, 1 if it was still held. */
    RELEASED(1),

    /** A try found nothing in its time. */
    REFUSED(1),

    /** A call ended with an exception that the library promises for faults: the thing is its class. */
    FAILED(1),

    /** A call ended with another exception: a bug. */
    UNEXPECTED,
    RESIZED(1),
    SETTING,
    SET(1),
    AWAITING,
    GOT(1),

    /** The thing is the id of a timer. Version, due in ms if it is known. */
    SCHEDULING,
    SCHEDULED(1),
    CANCELLING,

    /** 1 if the timer was there. */
    CANCELLED(1),

    /** Version, due in ms, attempt, token. */
    HANDLING(1),
    HANDLED,
}
