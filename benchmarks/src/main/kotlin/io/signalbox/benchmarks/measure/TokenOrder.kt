package io.signalbox.benchmarks.measure

import kotlinx.serialization.Serializable

/** Per slice of a window: the smallest token of the acquires that were called in it, and the largest of those granted in it. */
@Serializable
internal class TokenSlices(
    val leastCalled: LongArray,
    val mostGranted: LongArray,
)

/**
 * Whether tokens rise over processes: an acquire that is called when another has been granted gets a larger token. Looked at in slices of a
 * millisecond, because a token for each of a million grants is too much to send around.
 */
internal class TokenOrder(
    private val window: Window,
) {
    val slices = ((window.nanos + SLICE - 1) / SLICE).toInt().let { count ->
        TokenSlices(LongArray(count) { Long.MAX_VALUE }, LongArray(count))
    }

    fun add(
        called: Long,
        granted: Long,
        token: Long,
    ) {
        if (called in window) slices.leastCalled.lower(slice(called), token)
        if (granted in window) slices.mostGranted.raise(slice(granted), token)
    }

    private fun slice(time: Long) = ((time - window.start) / SLICE).toInt()

    companion object {
        private const val SLICE = 1_000_000L

        fun merged(all: List<TokenSlices>): TokenSlices {
            val size = all.first().leastCalled.size
            val merged = TokenSlices(LongArray(size) { Long.MAX_VALUE }, LongArray(size))
            for (slices in all) {
                for (i in 0 until size) {
                    merged.leastCalled.lower(i, slices.leastCalled[i])
                    merged.mostGranted.raise(i, slices.mostGranted[i])
                }
            }
            return merged
        }

        fun check(
            title: String,
            slices: TokenSlices,
        ) {
            var most = 0L
            for (i in slices.leastCalled.indices) {
                val least = slices.leastCalled[i]
                if (least <= most) throw CheckFailure("$title: an acquire called when token $most had been granted got $least.")
                most = maxOf(most, slices.mostGranted[i])
            }
        }

        private fun LongArray.lower(
            index: Int,
            value: Long,
        ) {
            if (value < this[index]) this[index] = value
        }

        private fun LongArray.raise(
            index: Int,
            value: Long,
        ) {
            if (value > this[index]) this[index] = value
        }
    }
}
