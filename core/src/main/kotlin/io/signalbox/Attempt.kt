package io.signalbox

/** What became of a block that was to run only if a permit was granted in time: see [tryWithPermit] and [tryWithLock]. */
public sealed interface Attempt<out T> {
    /** The permit was granted and the block has run. */
    public class Ran<out T> internal constructor(
        /** What the block has returned. */
        public val result: T,
    ) : Attempt<T> {
        override fun equals(other: Any?): Boolean = other is Ran<*> && other.result == result

        override fun hashCode(): Int = result.hashCode()

        override fun toString(): String = "Ran($result)"
    }

    /** It was not granted in time, because others have it; the block was not called. */
    public data object NotInTime : Attempt<Nothing>
}

/** What the block has returned, or what [otherwise] returns if it was not called. */
public inline fun <T> Attempt<T>.getOrElse(otherwise: () -> T): T =
    when (this) {
        is Attempt.Ran -> result
        Attempt.NotInTime -> otherwise()
    }
