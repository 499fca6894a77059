package io.signalbox.testkit

import java.time.Duration

/**
 * The switches for what goes wrong on a link: on every connection of a [FaultProxy], or on one [ProxiedConnection].
 *
 * A connection suffers from what is on for itself and from what is on for its proxy. The switches act at once and may be
 * used by any thread.
 */
public abstract class LinkFaults internal constructor(internal val monitor: Monitor) {
    internal var dropsReplies = false
        private set
    internal var holdsRequests = false
        private set
    internal var isStalled = false
        private set
    internal var delayNanos = 0L
        private set

    /**
     * Swallows what the server sends, while on. Requests still reach the server, which executes them.
     *
     * A client that gets a later reply on the same connection takes it for the lost one, which no real network makes it
     * do: [cut] the connection before replies are let through again.
     */
    @JvmOverloads
    public fun dropReplies(on: Boolean = true): Unit = monitor.change { dropsReplies = on }

    /**
     * Keeps what clients send until [releaseRequests].
     *
     * It reaches the server then even if the client has closed its connection meanwhile: a request that is late.
     */
    public fun holdRequests(): Unit = monitor.change { holdsRequests = true }

    /** Delivers the held requests in their order, and later ones at once. */
    public fun releaseRequests(): Unit = monitor.change { holdsRequests = false }

    /** Delivers nothing either way and leaves the connections open. Neither side hears of the other closing its end. */
    public fun stall(): Unit = monitor.change { isStalled = true }

    /** Ends a [stall]; what was sent meanwhile is delivered. */
    public fun resume(): Unit = monitor.change { isStalled = false }

    /** Delivers what is sent from now on late by [duration], each way. Zero is no delay. */
    public fun delay(duration: Duration) {
        require(!duration.isNegative) { "A delay must not be negative: $duration" }
        monitor.change { delayNanos = duration.nanosAtMost() }
    }

    /** Resets the connections (TCP RST) on both sides. What is held or delayed is lost. New connections are not affected. */
    public abstract fun cut()

    /** Resets the connections on the client's side only: what it has sent before still reaches the server, at once or late. */
    public abstract fun cutClient()
}
