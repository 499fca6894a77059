package io.signalbox.chaos.check

import io.signalbox.chaos.client.Prize
import io.signalbox.chaos.client.Said
import io.signalbox.chaos.client.What
import io.signalbox.chaos.run.Loss
import io.signalbox.chaos.run.Strike
import io.signalbox.history.AuditEvent
import io.signalbox.history.HoldInterval

/** What one client has lived through in an act. */
internal class Life(
    val label: String,
    val leaseMillis: Int,
    val wasKilled: Boolean,
    /** Its wall clock was wrong. */
    val wasSkewed: Boolean,
    val lines: List<Said>,
)

/** All that is known of an act. */
internal class Testimony(
    val lives: List<Life>,
    val audit: Map<String, List<AuditEvent>>,
    val strikes: List<Strike>,
    /** When acknowledged writes were lost or leases ended early. */
    val losses: List<Loss>,
    val clockWasBent: Boolean,
    /** What the wall clock, in microseconds, is ahead of the monotonic one. */
    val wallMicros: Long,
    /** Token and value of every accepted write of each fenced register. */
    val registers: Map<String, List<Pair<Long, Long>>>,
    /** Signals that were kept at the end. */
    val signalsLeft: Map<String, Int>,
    /** Ids of the dead timers at the end. */
    val deadTimers: Set<String>,
) {
    val longestLeaseNanos: Long get() = lives.maxOf { it.leaseMillis } * 1_000_000L

    /** Whether extra holders can exist at [nanos]: for one lease after acknowledged writes were lost. */
    fun isExcused(nanos: Long): Boolean = losses.any { nanos in it.begin..it.end + longestLeaseNanos }

    /** From when on no acknowledged write was lost any more: by the monotonic clock, and by the server's, unless that was bent. */
    val lastLossNanos: Long = losses.filter { it.ofWrites }.maxOfOrNull { it.end } ?: 0
    val lastLossMicros: Long = if (lastLossNanos == 0L) 0 else wallMicros + lastLossNanos / 1000 + CLOCK_SLACK_MICROS

    /** When permits of [prize] were held, as their holders saw it. */
    fun intervals(prize: Prize): List<HoldInterval> =
        lives.flatMap { life ->
            life.lines.filter {
                it.thing == prize.title && (it.what == What.HELD || it.what == What.HOLDING)
            }.groupBy { it.b to it.c }.map { (hold, lines) ->
                HoldInterval(
                    hold.first,
                    life.label,
                    begin = lines.minOf {
                        it.c
                    },
                    end = lines.maxOf { it.d },
                    permits = lines.first().a.toInt(),
                )
            }
        }

    val operations: Int get() = lives.sumOf { life -> life.lines.sumOf { it.what.operations } }

    /** What was said about [thing] around [nanos], and which faults were at work. */
    fun around(
        thing: String,
        nanos: Long,
    ): List<String> {
        val near = nanos - NEAR_NANOS..nanos + NEAR_NANOS / 2
        val said = lives.flatMap { life ->
            life.lines.filter { it.thing == thing && it.nanos in near }.map {
                it.nanos to
                    "${life.label}: $it"
            }
        }
        val struck = strikes.filter { it.begin <= near.last && it.end >= near.first }.map { it.begin to "FAULT $it" }
        return (said + struck).sortedBy { it.first }.map { it.second }
    }

    private companion object {
        const val NEAR_NANOS = 2_000_000_000L

        /** The wall clock is set right now and then. */
        const val CLOCK_SLACK_MICROS = 50_000L
    }
}

/** A broken promise. */
internal class Violation(
    /** Which checker has found it, as in `docs/reliability.md`. */
    val checker: Char,
    val thing: String,
    val text: String,
    /** When, by the machine's monotonic clock, if that is known. */
    val nanos: Long? = null,
) {
    override fun toString(): String = "$checker $thing: $text"
}

/** What the checkers found in an act. */
internal class Findings(
    val violations: List<Violation>,
    /** Extra holders in the windows in which they can exist. */
    val extras: Int,
)
