package io.signalbox.quorum.internal

import io.signalbox.quorum.internal.master.Answer
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.withTimeoutOrNull

/** One question to all masters, and what has come back. */
internal class Round(
    private val masters: Int,
) {
    private val said = ConcurrentHashMap<Int, Result<Answer>>()
    private val bell = Channel<Unit>(Channel.CONFLATED)

    /** By master. */
    val answers: Map<Int, Answer> get() = said.mapNotNull { (master, result) -> result.getOrNull()?.let { master to it } }.toMap()

    fun add(
        master: Int,
        answer: Answer?,
    ) {
        said[master] = if (answer == null) Result.failure(NoSuchElementException()) else Result.success(answer)
        bell.trySend(Unit)
    }

    /** Waits for [enough] answers, and then a little for the others. */
    suspend fun await(
        enough: Int,
        patience: Duration,
        linger: Duration,
    ) {
        withTimeoutOrNull(patience) { while (said.size < masters && answers.size < enough) bell.receive() }
        if (answers.size >= enough) withTimeoutOrNull(linger) { while (said.size < masters) bell.receive() }
    }
}
