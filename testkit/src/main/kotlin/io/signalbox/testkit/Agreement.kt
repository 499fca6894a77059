package io.signalbox.testkit

import java.io.IOException
import java.time.Duration

private val PATIENCE = Duration.ofSeconds(60)
private const val INTERVAL_MILLIS = 10L

/** Asks again and again until [reached] has a result; a server that is away or not ready for the question has none. */
internal fun <T : Any> awaitAgreement(goal: () -> String, reached: () -> T?): T {
    val deadline = System.nanoTime() + PATIENCE.toNanos()
    var problem: Exception? = null
    while (true) {
        try {
            reached()?.let { return it }
            problem = null
        } catch (e: IOException) {
            problem = e
        } catch (e: RedisErrorReply) {
            problem = e
        }
        if (System.nanoTime() > deadline) throw IllegalStateException("${goal()} within $PATIENCE", problem)
        // Servers tell nobody of what they agree on.
        Thread.sleep(INTERVAL_MILLIS)
    }
}
