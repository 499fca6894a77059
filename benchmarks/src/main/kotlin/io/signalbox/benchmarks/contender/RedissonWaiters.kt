package io.signalbox.benchmarks.contender

/**
 * Redisson's waiters, seen from the server. A release is announced on a channel per semaphore; who waits has subscribed and then tried once more.
 *
 * Hand-offs with 4.7.0 were seen to hang: a waiter that was still waiting after minutes, beside a free permit. We infer, and have not
 * shown, that it misses an announcement that falls between its subscription and its next attempt. Announcing again ended it, so that is
 * done for a run to end.
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
        System.err.println("... a hand-off of Redisson hangs; announcing again")
        channels().forEach { statistics.commands.publish(it, "1") }
    }

    private fun channels() = statistics.commands.pubsubChannels("*$key*")
}
