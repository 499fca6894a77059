package io.signalbox.internal.redis

import io.lettuce.core.RedisCommandExecutionException
import io.lettuce.core.RedisException
import io.signalbox.Signalbox
import io.signalbox.internal.inWords
import java.io.IOException
import kotlin.time.Duration.Companion.milliseconds
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/** Tells operators when the store, or whatever is [called] so, cannot be reached any more, and when it can again: once each. */
internal class Reachability(
    private val called: String = "The store",
) {
    /** When the first failure came that no answer has followed. */
    @Volatile
    private var awaySince = REACHABLE
    private var isTold = false

    @Volatile
    private var isOver = false

    /** Called with every answer, errors among them: a look, as long as nothing has failed. */
    fun answered() {
        if (awaySince != REACHABLE) back()
    }

    private fun back() {
        val (since, wasTold) =
            synchronized(this) {
                Pair(awaySince, isTold).also {
                    awaySince = REACHABLE
                    isTold = false
                }
            }
        if (wasTold && !isOver) log.info("{} answers again, after {}", called, ((System.nanoTime() - since) / 1_000_000).milliseconds)
    }

    fun failed(problem: Throwable) {
        val chain = generateSequence(problem) { it.cause }
        // An error is an answer too; and what is cancelled, or cannot be read, says nothing of the store.
        if (chain.any { it is RedisCommandExecutionException } || chain.none { it is RedisException || it is IOException }) return
        failed { problem.inWords() }
    }

    fun failed(why: () -> String) {
        if (isTold || isOver) return
        synchronized(this) {
            val now = System.nanoTime()
            if (awaySince == REACHABLE) awaySince = if (now == REACHABLE) 1 else now
            // A connection that is replaced at once is no outage; one goes on to fail.
            if (isTold || now - awaySince < OUTAGE_NANOS) return
            isTold = true
        }
        log.warn("{} cannot be reached: {}. Calls wait for it or fail; what is held is lost when its lease ends", called, why())
    }

    /** What fails from now on is closed. */
    fun end() {
        isOver = true
    }

    private companion object {
        const val REACHABLE = 0L
        const val OUTAGE_NANOS = 500_000_000L
        val log: Logger = LoggerFactory.getLogger(Signalbox::class.java)
    }
}
