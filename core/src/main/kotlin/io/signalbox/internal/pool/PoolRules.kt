package io.signalbox.internal.pool

/**
 * By what a client refuses a message that is late, where the server cannot. Each rule is a function of its own, so that the model of the
 * pool can be run without it: there must be a schedule in which that goes wrong.
 */
internal open class PoolRules {
    /**
     * Until when a session that was never confirmed can be. Its lease may have begun when its first round was sent, have lapsed a lease later,
     * and have been found missing by a reaper who says so much later; a repetition makes the key anew, and proves nothing.
     */
    open fun confirmableUntil(
        session: PoolSession,
        pace: PoolPace,
    ): Long = if (session.beginAt == Long.MAX_VALUE) Long.MAX_VALUE else session.beginAt + pace.settings.usableNanos

    /** Whether the token of [claim] was drawn after [waiter] had asked. */
    open fun mayHave(
        waiter: PoolWaiter,
        claim: Claim,
    ): Boolean = claim.askedAt >= waiter.since

    /** Whether a claim that the server shows to be ours is of the turn that its slot is at. */
    open fun isCurrent(
        claim: Claim,
        generation: Long?,
    ): Boolean = generation == claim.hint.generation

    /** Whether the server may be told to take [claim] back, which it does without asking whose it is. */
    open fun mayReturn(claim: Claim): Boolean = claim.isOurs

    open fun lookTimes(pace: PoolPace): LookTimes = LookTimes(pace)
}
