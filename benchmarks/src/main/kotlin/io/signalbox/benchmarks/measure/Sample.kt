package io.signalbox.benchmarks.measure

/** What one coroutine of a loop is told about its pairs, in nanoseconds of [System.nanoTime]. */
internal interface Notes {
    /** An acquire that was called and granted then, to be released from [releasing] on. */
    fun held(
        called: Long,
        granted: Long,
        releasing: Long,
        token: Long,
    )

    /** The pair is over. */
    fun ended(now: Long) = Unit
}

/** A growing array of nanoseconds, for one coroutine: cheaper than a histogram for each, and nothing that coroutines contend for. */
internal class Sample : Notes {
    private var values = LongArray(64)
    private var size = 0

    override fun held(
        called: Long,
        granted: Long,
        releasing: Long,
        token: Long,
    ) = add(granted - called)

    fun add(nanos: Long) {
        if (size == values.size) values = values.copyOf(size * 2)
        values[size++] = nanos
    }

    fun forEach(action: (Long) -> Unit) {
        for (i in 0 until size) action(values[i])
    }
}
