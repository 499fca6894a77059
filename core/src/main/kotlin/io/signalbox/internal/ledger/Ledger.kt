package io.signalbox.internal.ledger

import io.signalbox.InternalSignalboxApi
import io.signalbox.SemaphoreSnapshot
import io.signalbox.StoreUnavailableException

/**
 * One client's line to a store: the only thing that decides who holds and who waits.
 *
 * The seam between coordination, which knows coroutines and their waiters, and a backend, which knows neither. A backend
 * executes each [Exchange] atomically, at most once, in the order of its number, and can repeat the answer of the last two.
 * It makes no attempt at patience: it delivers a request once and reports what became of it; when to repeat is decided above.
 */
internal interface Ledger {
    /** Does what is done once per process, and is no fault of the store's: no time limit of a call counts it. */
    suspend fun prepare() = Unit

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

    /**
     * Ends [name] for everybody if it is still the state of [epoch]; [by] says who wants it. Tells who can be told.
     *
     * @return whether it was.
     */
    suspend fun delete(
        name: LedgerName,
        epoch: String,
        by: String,
    ): Boolean

    /**
     * Has [names], at most [KEPT_AT_ONCE], live for another retention, as far as they exist.
     *
     * @return whether more is to be done by another call, with no names.
     */
    suspend fun keep(names: List<LedgerName>): Boolean

    /** Whether there is no store any more: nothing that is sent will ever be answered. */
    val isOver: Boolean

    /** Adds [name] to what [names] lists, until [keep] does. A hint that may fail silently. */
    fun enlist(name: LedgerName)

    /** The names of [kind] in use, and some that are not any more. */
    suspend fun names(kind: Kind): List<String>

    /** Where [session] hears of its waiters from now on; it may before this returns. */
    fun listen(
        session: String,
        listener: SessionListener,
    )

    fun forget(session: String)

    /** Asks whether the store is there. */
    suspend fun ping()

    /** Whether there is a connection at the moment to where [name] is, as far as is known. */
    fun isReachable(name: LedgerName): Boolean

    /** The address that exchanges give for announcements. Asking for it makes sure that somebody collects there. */
    fun inbox(): String

    /** Starts to end it; suspends until it has ended. */
    suspend fun close()

    companion object {
        const val FIRST_DELIVERY = Long.MIN_VALUE
        const val KEPT_AT_ONCE = 100
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

    /** Something has happened that an exchange would tell: exchange soon. */
    fun onSummons() = Unit

    /** Announcements may have been lost, or are addressed to an inbox that is gone: exchange soon, with the current one. */
    fun onInboxChanged()
}

/**
 * A delivery that failed.
 *
 * @property executed whether the store may have executed it; `false` is certain.
 * @property final whether the same request would fail again; `false` calls for a repetition.
 * @property refused whether the server takes no writes as it is, out of memory, read-only or short of replicas: that may pass, but not
 *   soon, so calls that begin are told, and what was begun is repeated.
 */
@InternalSignalboxApi
public class LedgerFailure internal constructor(
    public val error: Throwable,
    public val executed: Boolean,
    public val final: Boolean,
    public val refused: Boolean = false,
) : RuntimeException(error.message, error) {
    /** What a call is told that it ends. */
    public fun told(): Throwable =
        if (refused && error !is StoreUnavailableException) {
            StoreUnavailableException(
                "The server takes no writes at the moment: ${error.message?.trimEnd('.')}.",
                error,
            )
        } else {
            error
        }
}
