package io.signalbox.internal.pool

/** One slot that this client has claimed, or is about to. [number] makes the claim unlike every other of this client. */
internal class Claim(
    val hint: Hint,
    val session: String,
    val number: Long,
    /** When it was asked for, or asked for again: its token is larger than that of every grant that was told before. */
    var askedAt: Long,
) {
    /** What is in `owners` if it is ours; more may follow behind a slash. */
    val mark: String get() = "$session/$number"

    /** Marks a slot of an acquire of several permits that has not got all of them: it is not granted to anybody. */
    val gatheringMark: String get() = "$mark/"

    /** Its token, once it is known to be ours. */
    var token: Long = 0

    val isOurs: Boolean get() = token > 0

    fun isMarkedBy(owner: String?): Boolean = owner != null && (owner == mark || owner.startsWith("$mark/"))
}

/**
 * What is in `owners`: `session/number`, while gathering `session/number/`, and soon after the grant
 * `session/number/token/permits/since/holdUntil` (microseconds, milliseconds or -1), for snapshots only.
 */
internal class Owner(
    text: String,
) {
    private val parts = text.split('/')
    val session: String = parts[0]
    val isGathering: Boolean = parts.size == 3
    val isDescribed: Boolean = parts.size >= 6
    val token: Long get() = parts[2].toLong()
    val permits: Int get() = parts[3].toInt()
    val sinceMicros: Long get() = parts[4].toLong()
    val holdUntilMillis: Long get() = parts[5].toLong()

    companion object {
        fun described(
            claim: Claim,
            permit: PoolPermit,
        ): String = "${claim.mark}/${permit.fencingToken}/${permit.permits}/${permit.sinceMicros}/${permit.holdUntilMillis}"
    }
}
