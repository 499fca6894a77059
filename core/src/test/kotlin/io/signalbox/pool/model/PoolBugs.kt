package io.signalbox.pool.model

import io.lettuce.core.protocol.CommandType
import io.signalbox.internal.pool.Batch
import io.signalbox.internal.pool.Claim
import io.signalbox.internal.pool.LookTimes
import io.signalbox.internal.pool.PoolPace
import io.signalbox.internal.pool.PoolRules
import io.signalbox.internal.pool.PoolSession
import io.signalbox.internal.pool.PoolWaiter

private val TOO_MANY = Regex("are held|two holders|more than")

/** What is wrong with the pool on purpose; nothing, by default. */
internal class PoolBug(
    val name: String,
    /** What the check says about it, among other things. */
    val finding: Regex = TOO_MANY,
    /** The schedules that find it soonest. */
    val kind: PoolSchedule.Kind? = null,
    val rules: PoolRules = PoolRules(),
    val spoil: (Batch.Request) -> Batch.Request = { it },
) {
    companion object {
        val NONE = PoolBug("none")
    }
}

/** Each takes away one thing by which a message that is late, doubled or unanswered is refused. */
internal val POOL_BUGS =
    listOf(
        PoolBug("a slot is withdrawn by its number alone", TOO_MANY, PoolSchedule.Kind.RESIZES) { request ->
            // What names the turn becomes what names the slot.
            val isWithdrawal = request.word == CommandType.ZADD && request.values.any { "$it".endsWith(".5") }
            if (isWithdrawal) Batch.Request(CommandType.ZREM, listOf(request.values.first(), request.values.last())) else request
        },
        PoolBug(
            "a repeated first round makes a session that was judged dead",
            TOO_MANY,
            PoolSchedule.Kind.VERDICTS,
            rules =
            object : PoolRules() {
                override fun confirmableUntil(
                    session: PoolSession,
                    pace: PoolPace,
                ) = Long.MAX_VALUE
            },
        ),
        PoolBug(
            "when to look for the dead is forgotten whenever nobody waits",
            Regex("the dead held|the last acquire has not ended"),
            rules =
            object : PoolRules() {
                override fun lookTimes(pace: PoolPace) =
                    object : LookTimes(pace) {
                        override fun dueAt(): Long {
                            if (next == Long.MIN_VALUE) next = pace.now() + pace.leaseNanos / 8
                            return next
                        }

                        override fun idle() {
                            next = Long.MIN_VALUE
                        }
                    }
            },
        ),
        PoolBug(
            "a slot claimed for one who gave up goes to one who asked later",
            Regex("was given to somebody who asked after"),
            PoolSchedule.Kind.HASTE,
            rules =
            object : PoolRules() {
                override fun mayHave(
                    waiter: PoolWaiter,
                    claim: Claim,
                ) = true
            },
        ),
        PoolBug(
            "a claim counts whatever turn the slot is at",
            TOO_MANY,
            rules =
            object : PoolRules() {
                override fun isCurrent(
                    claim: Claim,
                    generation: Long?,
                ) = true
            },
        ),
        PoolBug(
            "what may have been claimed is given back unasked",
            TOO_MANY,
            PoolSchedule.Kind.REFUSALS,
            rules =
            object : PoolRules() {
                override fun mayReturn(claim: Claim) = true
            },
        ),
        PoolBug("a release sets the turn, also back") { request ->
            if (request.word == CommandType.ZADD && "XX" in request.values && "CH" !in request.values) {
                Batch.Request(request.word, request.values.filter { it != "GT" })
            } else {
                request
            }
        },
        PoolBug("a claim takes what is claimed") { request ->
            if (request.word == CommandType.HSETNX && request.values[1].toString().first().isDigit()) {
                Batch.Request(CommandType.HSET, request.values)
            } else {
                request
            }
        },
    )
