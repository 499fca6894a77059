package io.signalbox.quorum.internal.memory

import io.signalbox.quorum.internal.master.Answer
import io.signalbox.quorum.internal.master.Handed
import io.signalbox.quorum.internal.master.Known
import io.signalbox.quorum.internal.master.Request

/** Who asks: what a request has in common with all of its client's. */
internal class Asker(
    val leaseMillis: Long,
    val longestMillis: Long,
    val label: String,
    /** What a master that has no id yet is called. */
    val masterId: String,
    /** Who hears of what is handed over to it. */
    val inbox: (recipient: String, Handed) -> Unit,
)

/** What one master knows, as the script has it; the model that the script is held against. For one thread at a time. */
internal class MasterState(
    private val now: () -> Long,
    /** When it was started without data; 0 for one that nobody can have known before. */
    private var bornAt: Long,
) {
    private var agreedMillis: Long? = null
    private var id: String? = null
    private val ledgers = HashMap<Any, Ledger>()

    private class Slot(
        val owner: String,
        val endsAt: Long,
        val fence: Long,
        val since: Long,
        val label: String,
    )

    private class Waiter(
        val number: Long,
        val endsAt: Long,
        val place: Long,
        val recipient: String,
        val asker: Asker,
    )

    private class Ledger(
        val declared: Int,
        var permits: Int,
        var version: Long,
        var fence: Long,
    ) {
        val slots = HashMap<Int, Slot>()
        val waiters = HashMap<String, Waiter>()
    }

    /** What is to be told once the answer is under way. */
    private val handed = ArrayList<() -> Unit>()

    fun takeHanded(): List<() -> Unit> = ArrayList(handed).also { handed.clear() }

    fun answer(
        subject: Any,
        known: Known,
        request: Request,
        asker: Asker,
    ): Answer {
        val now = now()
        if (bornAt > now) bornAt = now
        val agreed = agreedMillis ?: asker.longestMillis.also { agreedMillis = it }
        if (id == null) id = asker.masterId
        val ledger = ledgers.getOrPut(subject) { Ledger(known.declared, known.permits, known.version, now) }
        if (known.version > ledger.version) {
            ledger.permits = known.permits
            ledger.version = known.version
        }
        ledger.fence = maxOf(ledger.fence, known.floor)
        val quarantine = maxOf(0, bornAt + agreed - now)
        val turn = Turn(ledger, now, quarantine == 0L, agreed)
        val (code, body) =
            when (request) {
                is Request.Take -> if (agreed != asker.longestMillis) Answer.Code.LONGEST to Answer.Nothing else turn.take(request, asker)
                is Request.Release -> turn.release(request)
                is Request.Leave -> turn.leave(request)
                is Request.Renew -> turn.renew(request, asker)
                Request.Resize -> turn.resize()
                is Request.Look -> turn.look(request)
            }
        return Answer(code, ledger.permits, ledger.version, ledger.declared, quarantine, ledger.fence, agreed, body)
    }

    private inner class Turn(
        private val ledger: Ledger,
        private val now: Long,
        private val votes: Boolean,
        private val agreed: Long,
    ) {
        private val live: Map<Int, Slot> get() = ledger.slots.filterValues { it.endsAt > now }

        /** A clock that went back makes no lease longer than the longest. */
        private val Slot.leftMillis: Long get() = minOf(endsAt - now, agreed)

        fun take(
            take: Request.Take,
            asker: Asker,
        ): Pair<Answer.Code, Answer.Body> {
            if (take.slot in 0..<ledger.permits && votes && take.slot !in live) {
                ledger.waiters.remove(take.bid)
                give(take.slot, Request.owner(take.bid, take.number), asker)
                return Answer.Code.YES to Answer.Taken(take.slot, take.number, ledger.slots.size)
            }
            for ((slot, held) in live.toSortedMap()) {
                if (held.owner.substringBeforeLast('/') != take.bid) continue
                return Answer.Code.YES to Answer.Taken(slot, held.owner.substringAfterLast('/').toLong(), ledger.slots.size)
            }
            if (take.waits) wait(take, asker)
            val ends = live.values.minOfOrNull { it.leftMillis } ?: -1
            val free = (1..ledger.permits).map { (maxOf(take.slot, 0) + it) % ledger.permits }.filter { it !in live }.take(FREE_AT_MOST)
            return (if (votes) Answer.Code.NO else Answer.Code.QUARANTINE) to Answer.Refused(ends, free)
        }

        private fun wait(
            take: Request.Take,
            asker: Asker,
        ) {
            val known = ledger.waiters[take.bid]
            if (known != null && known.number >= take.number) return
            val place = if (take.place >= 0) take.place else known?.place ?: ledger.fence
            ledger.waiters[take.bid] = Waiter(take.number, now + asker.leaseMillis, place, take.recipient, asker)
        }

        private fun give(
            slot: Int,
            owner: String,
            asker: Asker,
        ) {
            ledger.fence++
            ledger.slots[slot] = Slot(owner, now + asker.leaseMillis, ledger.fence, now, asker.label)
        }

        /** The first of those that are alive. */
        private fun hand(slot: Int): Boolean {
            if (!votes || slot >= ledger.permits) return false
            while (true) {
                val (bid, waiter) = ledger.waiters.minWithOrNull(compareBy({ it.value.place }, { it.key })) ?: return false
                ledger.waiters.remove(bid)
                if (waiter.endsAt <= now) continue
                give(slot, Request.owner(bid, waiter.number), waiter.asker)
                val line = Handed(bid, slot, waiter.number, ledger.fence, ledger.slots.size)
                handed += { waiter.asker.inbox(waiter.recipient, line) }
                return true
            }
        }

        fun release(release: Request.Release): Pair<Answer.Code, Answer.Body> {
            if (ledger.slots[release.slot]?.owner != release.owner) return Answer.Code.NO to Answer.Nothing
            ledger.slots.remove(release.slot)
            return Answer.Code.YES to Answer.Released(release.handsOn && hand(release.slot))
        }

        fun leave(leave: Request.Leave): Pair<Answer.Code, Answer.Body> {
            val known = ledger.waiters[leave.bid]
            if (known != null && known.number <= leave.number) ledger.waiters.remove(leave.bid)
            for ((slot, held) in live.toSortedMap()) {
                if (held.owner.substringBeforeLast('/') != leave.bid || held.owner.substringAfterLast('/').toLong() > leave.number) continue
                ledger.slots.remove(slot)
                hand(slot)
            }
            return Answer.Code.YES to Answer.Nothing
        }

        fun renew(
            renew: Request.Renew,
            asker: Asker,
        ): Pair<Answer.Code, Answer.Body> {
            val isHeld =
                renew.slots.map { wanted ->
                    val known = ledger.slots[wanted.slot]
                    val isOurs = known?.owner == wanted.owner
                    if (!isOurs && known != null && known.endsAt > now) return@map false
                    val since = if (isOurs) known!!.since else now
                    ledger.slots[wanted.slot] = Slot(wanted.owner, now + asker.leaseMillis, wanted.fence, since, asker.label)
                    ledger.fence = maxOf(ledger.fence, wanted.fence)
                    true
                }
            return Answer.Code.YES to Answer.Renewed(isHeld)
        }

        fun resize(): Pair<Answer.Code, Answer.Body> {
            for (slot in 0..<ledger.permits) if (slot !in live && !hand(slot)) break
            return Answer.Code.YES to Answer.Nothing
        }

        fun look(look: Request.Look): Pair<Answer.Code, Answer.Body> {
            val slots = live.map { (slot, it) -> Answer.Slot(slot, it.owner, it.leftMillis, it.fence, maxOf(0, now - it.since), it.label) }
            val waiters =
                ledger.waiters.entries.sortedWith(compareBy({ it.value.place }, { it.key })).take(look.waiters)
                    .filter { it.value.endsAt > now }
                    .map { (bid, it) -> Answer.Waiter(bid, it.endsAt - now, it.asker.label) }
            return Answer.Code.YES to Answer.Seen(id!!, slots, waiters)
        }
    }

    private companion object {
        const val FREE_AT_MOST = 32
    }
}
