package io.signalbox.examples.demo.semaphore

import kotlin.time.Duration

/** What one run has shown, for the [verify] to judge. Moments are nanoseconds of one monotonic clock. */
internal class Evidence(
    val permits: Int,
    val lease: Duration,
    /** How much later than one lease the permit of the killed holder may come back. */
    val tolerance: Duration,
    val turns: List<Turn>,
    /** How many permits were held, by each look at the server. */
    val heldSamples: List<Int>,
    /** The tokens of the writes that the register accepted, in its order. */
    val accepted: List<Long>,
    /** The writes of live workers that the register refused. */
    val refused: List<RegisterAnswer>,
    val kill: Kill?,
    /** What the register made of a write with the killed holder's token, after its permit had gone to somebody else. */
    val lateWrite: RegisterAnswer?,
    val end: EndState,
    /** If the primary was killed. */
    val failover: Failover? = null,
)

/** The primary was killed at [at], and its heir known [took] later. */
internal class Failover(val at: Long, val from: Int, val to: Int, val took: Duration)

/** The semaphore when all workers have gone. */
internal class EndState(val permits: Int, val held: Int, val queued: Int)

/** The judgement on one promise of the semaphore; [facts] says what it rests on, or how the promise was broken. */
internal class Finding(val promise: String, val kept: Boolean, val facts: String)
