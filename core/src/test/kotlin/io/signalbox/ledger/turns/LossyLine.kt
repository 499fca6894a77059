package io.signalbox.ledger.turns

import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ledger.Announcement
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ExchangeReply
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionListener
import java.io.IOException
import kotlin.coroutines.resume
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull

/** What a client's line does wrong on purpose, to see that it is found. */
internal open class LineBug(
    val name: String,
) {
    open fun opening(opening: Opening): Opening = opening

    open fun exchange(exchange: Exchange): Exchange = exchange

    open fun answer(answer: Answer): Answer = answer

    open fun announcement(announcement: Announcement): Announcement = announcement

    /** Whether what is announced to a session that is over reaches the next one of its client. */
    open val confusesSessions: Boolean get() = false
}

/** One client's line to the store of a [Simulation]: requests, replies and announcements are lost, doubled, late and overtake each other. */
internal class LossyLine(
    private val simulation: Simulation,
    private val weather: Weather,
    private val random: Random,
    /** Where messages are under way, and where the client hears them. */
    private val network: CoroutineScope,
    private val client: CoroutineScope,
    private val patienceMillis: Long,
    private val bug: LineBug?,
) : Ledger {
    private val listeners = HashMap<String, SessionListener>()
    private var last: SessionListener? = null

    private fun deliver(
        to: CoroutineScope,
        arrivals: List<Long> = weather.arrivals(),
        action: (first: Boolean) -> Unit,
    ) = arrivals.forEachIndexed { copy, delay ->
        network.launch {
            delay(delay)
            to.launch { action(copy == 0) }
        }
    }

    override suspend fun open(
        name: LedgerName,
        opening: Opening,
    ): Opened {
        val said = bug?.opening(opening) ?: opening
        val opened =
            withTimeoutOrNull(patienceMillis.milliseconds) {
                suspendCancellableCoroutine { waiting ->
                    deliver(network) {
                        val opened = simulation.opened(said)
                        deliver(client) { if (waiting.isActive) waiting.resume(opened) }
                    }
                }
            }
        return opened ?: throw LedgerFailure(IOException("No answer."), executed = true, final = false)
    }

    override fun exchange(
        name: LedgerName,
        silentSince: Long,
        exchange: () -> Exchange?,
        reply: ExchangeReply,
    ) {
        if (weather.fails()) return fail(executed = false, exchange, reply)
        client.launch {
            // Written a little later than it was asked for.
            if (random.nextInt(4) == 0) delay(random.nextLong(3))
            val composed = exchange() ?: return@launch reply.complete(null, null)
            val said = bug?.exchange(composed) ?: composed
            var replied = false
            deliver(network) {
                val answer = simulation.exchanged(said)
                val failed = weather.fails()
                deliver(client) {
                    // The reply to one delivery, however often that arrived.
                    if (replied) return@deliver
                    replied = true
                    if (failed) {
                        reply.complete(null, LedgerFailure(IOException("Lost the connection."), executed = true, final = false))
                    } else {
                        reply.complete(bug?.answer(answer) ?: answer, null)
                    }
                }
            }
        }
    }

    /** Refused before anything was done: the connection, or the store for good. */
    private fun fail(
        executed: Boolean,
        exchange: () -> Exchange?,
        reply: ExchangeReply,
    ) {
        client.launch {
            val final = random.nextInt(3) == 0
            if (final || random.nextBoolean()) exchange()
            reply.complete(null, LedgerFailure(IOException("Refused."), executed, final))
        }
    }

    fun announce(
        session: String,
        announcement: Announcement,
    ) {
        val said = bug?.announcement(announcement) ?: announcement
        deliver(client) {
            val listener = if (bug?.confusesSessions == true) last else listeners[session]
            listener?.onAnnouncement(said)
        }
    }

    override suspend fun snapshot(
        name: LedgerName,
        limit: Int,
    ): SemaphoreSnapshot? = null

    override suspend fun keep(names: List<LedgerName>): Boolean = false

    override val isOver: Boolean get() = false

    override fun enlist(name: LedgerName) = Unit

    override suspend fun names(kind: Kind): List<String> = emptyList()

    override fun listen(
        session: String,
        listener: SessionListener,
    ) {
        listeners[session] = listener
        last = listener
    }

    override fun forget(session: String) {
        listeners -= session
    }

    override suspend fun ping() = Unit

    override suspend fun delete(
        name: LedgerName,
        epoch: String,
        by: String,
    ): Boolean = error("Nobody deletes here")

    override fun isReachable(name: LedgerName): Boolean = true

    override fun inbox(): String = "inbox"

    override suspend fun close() = Unit
}
