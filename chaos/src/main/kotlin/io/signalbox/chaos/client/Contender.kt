package io.signalbox.chaos.client

import io.signalbox.Permit
import io.signalbox.processes.FencedRegister
import io.signalbox.processes.holdUntil
import kotlin.random.Random
import kotlin.random.nextInt
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.withTimeoutOrNull

/** Acquires, holds and releases, in every way that there is. */
internal class Contender(
    private val worker: Int,
    private val prize: Prize,
    private val grip: Grip,
    private val register: FencedRegister?,
    private val journal: Journal,
    private val random: Random,
) : Actor {
    override suspend fun play() {
        if (prize.elastic && random.nextInt(20) == 0) {
            grip.resize(random.nextInt(1, prize.permits + 1))
            return say(What.RESIZED)
        }
        say(What.ASKING)
        val permits = if (prize.heaviest > 1 && random.nextInt(5) == 0) random.nextInt(2, prize.heaviest + 1) else 1
        when (random.nextInt(100)) {
            in 0..9 -> keep(grip.tryAcquire(permits, random.nextInt(1..100).milliseconds))
            in 10..14 -> keep(grip.tryAcquire(permits))
            // A block that is cancelled: while it waits, while it holds, or in between.
            in 15..29 -> withTimeoutOrNull(random.nextInt(1..60).milliseconds) { within(permits) } ?: say(What.REFUSED)
            in 30..59 -> within(permits)
            else -> keep(grip.acquire(permits))
        }
    }

    /** Not wide any more when nobody stretches it. */
    override suspend fun leave() {
        if (prize.elastic) runCatching { grip.resize(prize.permits) }
    }

    private suspend fun within(permits: Int) {
        var token = 0L
        grip.within(permits) {
            token = it.fencingToken
            hold(it)
        }
        say(What.RELEASED, token, 1)
    }

    private suspend fun keep(permit: Permit?) {
        if (permit == null) return say(What.REFUSED)
        hold(permit)
        val wasHeld = permit.release()
        say(What.RELEASED, permit.fencingToken, if (wasHeld) 1 else 0)
    }

    /** Nothing is said of a permit that was lost before it could be seen. */
    private suspend fun hold(permit: Permit) {
        val begin = System.nanoTime()
        if (permit.isLost) return
        val millis = millis()
        if (millis > 0) saw(What.HOLDING, permit, begin, begin)
        val value = register?.read(prize.title, permit.fencingToken)
        val end = permit.holdUntil(begin, begin + millis * MILLI) { saw(What.HOLDING, permit, begin, it) }
        if (value != null) register.write(prize.title, permit.fencingToken, value + 1)
        val now = System.nanoTime()
        saw(What.HELD, permit, begin, if (permit.isLost) end else now)
    }

    private fun millis(): Int =
        when (random.nextInt(200)) {
            0 -> random.nextInt(2000)
            in 1..15 -> random.nextInt(50)
            in 16..80 -> random.nextInt(4)
            else -> 0
        }

    private fun saw(
        what: What,
        permit: Permit,
        begin: Long,
        end: Long,
    ) = journal.say(what, worker, prize.title, permit.permits.toLong(), permit.fencingToken, begin, end)

    private fun say(
        what: What,
        a: Long = 0,
        b: Long = 0,
    ) = journal.say(what, worker, prize.title, a, b)

    private companion object {
        const val MILLI = 1_000_000L
    }
}
