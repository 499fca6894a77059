package io.signalbox.history

import java.util.TreeMap
import kotlin.math.max

/** A session as the log tells of it: the numbers that its own words and the ledger's gifts come to, and when it was heard. */
internal class SessionTrace(
    val name: String,
    val leaseMicros: Long,
    begunAt: Long,
    /** How many permits it put back. */
    width: Long,
) {
    /** The last call that certainly renewed the session, and the last that may have. */
    var heardAt: Long = begunAt
        private set
    private var maybeHeardAt = begunAt

    /** The last exchange executed. */
    var number: Long = 0
        private set

    /** G, R, K, P and T of the protocol; P as the ledger counts it. */
    var given: Long = width
        private set
    private var returned = 0L
    var admitted: Long = 0
        private set
    var passed: Long = 0
        private set
    var restrained: Long = 0

    private var said = 0L
    private var dropped = 0L
    private var consumed = 0L

    /** Weight by token. */
    val listed: TreeMap<Long, Int> = TreeMap()

    val width: Long get() = given - returned

    /** Whether somebody was admitted whom no permit was given to: it is its turn. */
    val waits: Boolean get() = admitted > passed

    /** How many waiters have been started, as far as it has said. */
    val started: Long get() = said - dropped

    /** After a resize down: what it must have given back before it hands on. */
    fun restraint(excess: Long): Long = returned + minOf(width, excess)

    /** A renewal is only known to 1/16 of the lease. */
    private val certainLeaseMicros get() = leaseMicros - leaseMicros / 16 - SLACK_MICROS

    fun mayBeOver(micros: Long): Boolean = micros - heardAt >= certainLeaseMicros

    fun mustBeOver(micros: Long): Boolean = micros - maybeHeardAt > leaseMicros + SLACK_MICROS

    /** The request that began it was repeated: that renews it unless it has exchanged. */
    fun openedAgain(micros: Long) {
        maybeHeardAt = micros
        if (number == 0L && !mayBeOver(micros)) heardAt = micros
    }

    fun executed(
        number: Long,
        micros: Long,
    ) {
        this.number = number
        heardAt = micros
        maybeHeardAt = micros
    }

    /** Takes it at its word; returns how many permits it gave back and how many of these it used up, or `null` if that cannot be true. */
    fun say(words: List<Long>): Pair<Long, Long>? {
        val (returned, passed, dropped, consumed) = words
        val grow = returned >= this.returned && passed >= said && dropped >= this.dropped && consumed >= this.consumed
        if (!grow || returned > given || passed > admitted || dropped > passed || consumed > returned) return null
        val change = returned - this.returned to consumed - this.consumed
        this.returned = returned
        this.dropped = dropped
        this.consumed = consumed
        said = passed
        this.passed = max(this.passed, passed)
        return change
    }

    fun give(count: Long) {
        given += count
        passed += count
    }

    fun admit(count: Long) {
        admitted += count
    }

    /** So that a fault is reported once. */
    fun forgetSurplus() {
        passed = minOf(passed, admitted)
    }

    companion object {
        /** The scripts count in whole milliseconds. */
        const val SLACK_MICROS = 2_000L
    }
}
