package io.signalbox.quorum.internal.ballot

import io.signalbox.quorum.internal.master.Request

/** That [master] keeps [slot] for one bid until [validUntil] at least: the moment when request [number] was sent, and the usable part of a lease. */
internal class Vote(
    val master: Int,
    val slot: Int,
    val number: Long,
    val validUntil: Long,
    /** What the master says of the order of grants; at least as large as all it has said before. */
    var fence: Long,
    /** How many slots the master says are taken. */
    val held: Int,
)

/** What a [Ballot] wants done, in this order. */
internal sealed interface Step {
    class Send(
        val master: Int,
        val request: Request,
    ) : Step

    /** It has [votes] of a majority for [slot], of which a majority knows [fence]. */
    class Granted(
        val slot: Int,
        val fence: Long,
        val votes: List<Vote>,
        /** Under which [slot] was asked for, or may have been, where there is no vote. */
        val number: Long,
    ) : Step

    /** One vote more for what was granted. */
    class Late(
        val vote: Vote,
    ) : Step

    /** No slot is free, and it does not wait. */
    object Denied : Step

    /** [problem] of a master that was to be told, or of one that ends it in any case. */
    class Failed(
        val problem: Throwable,
    ) : Step
}
