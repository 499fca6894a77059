package io.signalbox.processes

/** What a client process says about one of its workers. */
internal class ClientLine(
    /** When it was said, by the monotonic clock of the machine. */
    val nanos: Long,
    /** `ready`, `bye`, or what a worker does: see [phaseOf]. */
    val what: String,
    val worker: String,
    val semaphore: String,
    val token: Long,
    /** With `holding` and `releasing`: a moment at which the permit was certainly not lost. */
    val heldAt: Long,
) {
    override fun toString(): String = "$nanos $what $worker $semaphore $token $heldAt"

    companion object {
        /** `null` for what somebody else has printed. */
        fun parse(line: String): ClientLine? {
            val words = line.split(' ')
            val nanos = words[0].toLongOrNull()
            if (words.size != 6 || nanos == null) return null
            return ClientLine(nanos, words[1], words[2], words[3], words[4].toLong(), words[5].toLong())
        }
    }
}

/** Where a worker is in the life of a permit. */
internal enum class Phase { QUEUED, HOLDING, RELEASING }

/** The phase that begins when a worker says [what], if any. */
internal fun phaseOf(what: String): Phase? =
    when (what) {
        "acquiring" -> Phase.QUEUED
        "holding" -> Phase.HOLDING
        "releasing" -> Phase.RELEASING
        else -> null
    }

/** The semaphores that protect a [FencedRegister]. */
internal val FENCED: Set<String> = CONTENDED.filterValues { it == 1 }.keys
