package io.signalbox.quorum.internal.ballot

/** How long things may take, in nanoseconds of the client's monotonic clock. */
internal class Pace(
    /** How long a vote counts, from the moment when its request was sent. */
    val usable: Long,
    /** How long an answer may take. */
    val patience: Long,
    /** How long the other masters' hand-overs of a slot are waited for after the first. */
    val grace: Long,
    /** How often who waits asks again, whatever it hears. */
    val safety: Long,
    /** The longest pause before the first repetition of a try that has met another; doubled each time. */
    val backoff: Long,
)
