package io.signalbox.internal.ledger

import io.signalbox.InternalSignalboxApi
import io.signalbox.SemaphoreSnapshot

/**
 * One client's line to a store: the only thing that decides who holds and who waits.
 *
 * The seam between coordination, which knows coroutines and their waiters, and a backend, which knows neither. A backend
 * executes each [Exchange] atomically, at most once, in the order of its number, and can repeat the answer of the last two.
 * It makes no attempt at patience: it delivers a request once and reports what became of it; when to repeat is decided above.
 */
internal interface Ledger {
    /** Creates or joins [name], and begins the session named in [opening]. Repeating it does no harm. */
    suspend fun open(
        name: LedgerName,
        opening: Opening,
    ): Opened

    /**
     * Delivers an exchange and calls [reply] once, on any thread, from inside this call or later, or never if the request is lost
     * without a trace. Does not block.
     *
     * @param silentSince the moment (of the client's clock) of an earlier delivery that has had no reply, or [FIRST_DELIVERY]: a
     *   backend may conclude that its connection is dead.
     * @param exchange called at most once, at the last moment before the exchange leaves, so that it can carry what was added until
     *   then; need not have been called when the delivery fails. `null` if there is nothing to say any more: [reply] is called
     *   with neither answer nor failure.
     */
    fun exchange(
        name: LedgerName,
        silentSince: Long,
        exchange: () -> Exchange?,
        reply: ExchangeReply,
    )

    suspend fun snapshot(
        name: LedgerName,
        limit: Int,
    ): SemaphoreSnapshot?

    /** Adds [name] to what [names] lists, from time to time. A hint that may fail silently. */
    fun enlist(name: LedgerName)

    /** The names of [kind] in use, and some that are not any more. */
    suspend fun names(kind: Kind): List<String>

    /** Where [session] hears of its waiters from now on; it may before this returns. */
    fun listen(
        session: String,
        listener: SessionListener,
    )

    fun forget(session: String)

    /** The address that exchanges give for announcements. Asking for it makes sure that somebody collects there. */
    fun inbox(): String

    /** Starts to end it; suspends until it has ended. */
    suspend fun close()

    companion object {
        const val FIRST_DELIVERY = Long.MIN_VALUE
    }
}

/** What became of one delivery of an exchange. */
internal fun interface ExchangeReply {
    fun complete(
        answer: Answer?,
        failure: LedgerFailure?,
    )
}

/** What a store has to say to a session outside of exchanges. Hints: they can be lost, doubled and late. */
internal interface SessionListener {
    fun onAnnouncement(announcement: Announcement)

    /** Announcements may have been lost, or are addressed to an inbox that is gone: exchange soon, with the current one. */
    fun onInboxChanged()
}

/**
 * A delivery that failed.
 *
 * @property executed whether the store may have executed it; `false` is certain.
 * @property final whether the same request would fail again; `false` calls for a repetition.
 */
@InternalSignalboxApi
public class LedgerFailure internal constructor(
    public val error: Throwable,
    public val executed: Boolean,
    public val final: Boolean,
) : RuntimeException(error.message, error)
