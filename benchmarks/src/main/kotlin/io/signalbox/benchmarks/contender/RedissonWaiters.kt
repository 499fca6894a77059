package io.signalbox.benchmarks.contender

/**
 * Redisson's waiters, seen from the server. A release is announced on a channel per semaphore; who waits has subscribed and then tried once more.
 *
 * A waiter can miss the announcement and wait for ever beside a free permit (seen with 4.7.0: a release between its subscription and its
 * next attempt). So that a run ends, the announcement is repeated then.
 */
internal class RedissonWaiters(
    private val statistics: Statistics,
    private val key: String,
) {
    private var lastCalls = -1L

    /** Somebody has subscribed, and no script has been called between two looks: its second attempt is over. */
    fun isAwaited(): Boolean {
        val calls = statistics.calls("eval") + statistics.calls("evalsha")
        val quiet = calls == lastCalls
        lastCalls = calls
        return quiet && channels().isNotEmpty()
    }

    fun wakeUp() {
        System.err.println("... a waiter of Redisson has missed its wake-up; announcing again")
        channels().forEach { statistics.commands.publish(it, "1") }
    }

    private fun channels() = statistics.commands.pubsubChannels("*$key*")
}
