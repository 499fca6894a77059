package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.LedgerName
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull

/** How a session takes leave: with one exchange that gives back what it holds and its places in the queue. */
internal class Parting(
    private val subject: LedgerName,
    private val ledger: Ledger,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
) {
    private val bell = Channel<Unit>(Channel.CONFLATED)

    /** Short enough for a lost goodbye to be said again within the store timeout. */
    private val patience = minOf(settings.patienceNanos, settings.storeTimeoutNanos / 4).nanoseconds

    /** An exchange of a closed client was answered. */
    fun heard() {
        bell.trySend(Unit)
    }

    /**
     * Says [goodbye] until it is answered, and again while that leaves something to do. Returns whether the ledger has heard it; false if it
     * never will.
     */
    suspend fun say(goodbye: ClientState.Goodbye): Boolean {
        // Their answers tell the places that they have taken in the queue.
        withTimeoutOrNull(patience) { while (goodbye.unanswered.any { it.answer == null }) bell.receive() }
        val words = goodbye.exchange()
        var attempt = 0
        var silentSince = Ledger.FIRST_DELIVERY
        while (!ledger.isOver) {
            val sentAt = clock.nanos()
            val (answer, failure) = deliver(words, silentSince)
            silentSince = if (answer == null && failure == null) sentAt else Ledger.FIRST_DELIVERY
            when {
                answer is Answer.Done && answer.more -> Unit
                answer != null -> return answer is Answer.Done
                failure?.final == true -> return false
                failure != null -> delay(settings.backoffNanos(attempt++).nanoseconds)
            }
        }
        return false
    }

    private suspend fun deliver(
        words: Exchange,
        silentSince: Long,
    ): Pair<Answer?, LedgerFailure?> {
        val reply = CompletableDeferred<Pair<Answer?, LedgerFailure?>>()
        ledger.exchange(subject, silentSince, { words }) { answer, failure -> reply.complete(Pair(answer, failure)) }
        return withTimeoutOrNull(patience) { reply.await() } ?: Pair(null, null)
    }
}
