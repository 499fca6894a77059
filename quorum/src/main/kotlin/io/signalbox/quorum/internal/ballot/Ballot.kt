package io.signalbox.quorum.internal.ballot

import io.signalbox.quorum.internal.master.Answer
import io.signalbox.quorum.internal.master.Handed
import io.signalbox.quorum.internal.master.Request
import kotlin.random.Random

/**
 * One bid for any slot: asks all masters for one and the same slot, holds it once a majority keeps it, and gives up at once what it cannot get
 * a majority for. Decides and does nothing: every function takes the moment and adds to [steps] what is to be done.
 *
 * ```
 *             majority ──────────────────────────────────────────────┐
 *  ASKING ────┤                                                      ▼
 *    ▲  ▲     └── cannot be reached: gives up ─┬─ a slot is free ─▶ PAUSING ─▶ ASKING      SETTLING ─ majority knows the fence ─▶ DONE
 *    │  │                                      ├─ none, tries ────▶ DONE (denied)             ▲   ▲
 *    │  │ its time passed                      └─ none, waits ────▶ QUEUED                    │   │
 *    │ GATHERING ◀── a master hands a slot over ──────────────────────┘ └─ free after all ─▶ ASKING
 *    └──── │ ── a majority has handed it over ───────────────────────────────────────────────┘
 * ```
 *
 * Votes count from the moment when the request was sent that they answer, or under whose number a waiter was handed a slot: that is
 * earlier than whatever the master counts from. See `docs/design/quorum.md`. Guarded by its coordinator's lock.
 */
internal class Ballot(
    val bid: String,
    masters: Int,
    private val waits: Boolean,
    /** Whether the first error of a master ends it. */
    private val strict: Boolean,
    private val random: Random,
    /** What hears of slots that are handed over. */
    private val recipient: String,
    private val pace: () -> Pace,
) {
    enum class Phase { ASKING, SETTLING, PAUSING, QUEUED, GATHERING, DONE }

    private val majority = masters / 2 + 1
    private val desks = List(masters) { Desk() }
    private val sentAt = HashMap<Long, Long>(4)
    private var number = 0L
    private var slot = Request.NONE
    private var settling: Settling? = null

    /** Whether a slot was asked for in vain because others asked for it at the same time. */
    private var meetings = 0

    /** Its place in the queues: a moment in the order of grants, the same for all masters once it is known. */
    private var place = -1L
    private var isPlaced = false

    /** The slot that it got. */
    private var granted = Request.NONE

    /** What is to be done now; emptied by whoever does it. */
    val steps = ArrayList<Step>(desks.size)

    var phase = Phase.ASKING
        private set

    /** When [onTime] is to be called. */
    var dueAt = Long.MAX_VALUE
        private set

    /** How often a slot was asked for. */
    var tries = 0
        private set

    /** When a majority answered last, if it has. */
    var heardAt = Long.MIN_VALUE
        private set

    val isDone: Boolean get() = phase == Phase.DONE

    private class Settling(
        val slot: Int,
        val fence: Long,
    ) {
        val sent = HashSet<Int>()
    }

    // ---- what happens ------------------------------------------------------------------------------------------------------

    fun begin(
        first: Int,
        now: Long,
    ) {
        ask(first, now)
    }

    /** [master] says [answer] to request [asked], which was a [Request.Take] for [wanted] or none. */
    fun onAnswer(
        master: Int,
        asked: Long,
        wanted: Int,
        answer: Answer,
        now: Long,
    ) {
        val desk = desks[master]
        if (answer.code == Answer.Code.LONGEST) {
            if (!isDone) fail(LongestMismatch(answer.longestMillis))
            return
        }
        val isCurrent = desk.asked == asked
        if (desk.doubtful == Pair(wanted, asked)) desk.doubtful = null
        when (val body = answer.body) {
            is Answer.Taken -> {
                if (isCurrent) {
                    desk.answered()
                    desk.waitingUnder = Desk.NOTHING
                }
                count(master, Handed(bid, body.slot, body.number, answer.fence, body.held), now)
            }

            is Answer.Refused -> {
                if (isCurrent) desk.refused(answer, body)
                // Too late to wait.
                if (waits && isDone) leave(master, asked)
                if (!isPlaced) place = maxOf(place, answer.fence)
            }

            else -> error("A slot was asked for, and the answer is ${answer.body}.")
        }
        if (!isDone) decide(now)
    }

    fun onFailure(
        master: Int,
        asked: Long,
        problem: Throwable,
        now: Long,
    ) {
        if (desks[master].asked != asked || isDone) return
        desks[master].failed(problem)
        decide(now)
    }

    /** [master] has handed a slot over, because the bid waited there. */
    fun onHanded(
        master: Int,
        handed: Handed,
        now: Long,
    ) {
        count(master, handed, now)
        if (!isDone) decide(now)
    }

    /** [master] has written the fence back, or refused to. */
    fun onSettled(
        master: Int,
        slot: Int,
        fence: Long,
        isHeld: Boolean,
        now: Long,
    ) {
        if (isDone) return
        val vote = desks[master].votes[slot] ?: return
        if (isHeld) vote.fence = maxOf(vote.fence, fence) else desks[master].votes.remove(slot)
        decide(now)
    }

    fun onTime(now: Long) {
        if (isDone || now < dueAt) return
        when (phase) {
            Phase.ASKING, Phase.SETTLING -> {
                for (desk in desks) if (desk.isOpen) desk.failed(IllegalStateException("No answer in time."))
                if (phase == Phase.SETTLING) refused(now) else decide(now)
            }
            Phase.PAUSING -> ask(favourite() ?: slot, now)
            Phase.QUEUED -> look(now)
            Phase.GATHERING -> favourite()?.let { ask(it, now) } ?: look(now)
            Phase.DONE -> return
        }
    }

    /** Nobody wants it any more. */
    fun withdraw() {
        if (isDone) return
        finish()
        giveUp(keep = Request.NONE)
        leaveAll()
    }

    // ---- votes -------------------------------------------------------------------------------------------------------------

    private fun count(
        master: Int,
        handed: Handed,
        now: Long,
    ) {
        val slot = handed.slot
        val under = handed.number
        val desk = desks[master]
        val since = sentAt[under]
        if (desk.waitingUnder <= under) desk.waitingUnder = Desk.NOTHING
        // Put back there by a renewal.
        if (slot == granted && under > number) return
        // Told before, by the answer or by the announcement: what counts already must not be given back because of what was given up since.
        if ((desk.votes[slot]?.number ?: 0) >= under) return
        val isWanted = !isDone || slot == granted
        if (!isWanted || since == null || under <= desk.spent || since + pace().usable <= now) return release(master, slot, under)
        val vote = Vote(master, slot, under, since + pace().usable, handed.fence, handed.held)
        desk.votes[slot] = vote
        if (isDone) steps += Step.Late(vote)
    }

    private fun votes(slot: Int) = desks.count { slot in it.votes }

    private fun votesFor(slot: Int) = desks.mapNotNull { it.votes[slot] }

    /** The slot with the most votes. */
    private fun favourite(): Int? =
        desks.flatMap { it.votes.keys }.groupingBy { it }.eachCount().maxWithOrNull(compareBy({ it.value }, { -it.key }))?.key

    private fun dropOverdue(now: Long) {
        for ((master, desk) in desks.withIndex()) {
            desk.votes.values.filter { it.validUntil <= now }.forEach { giveUp(master, it) }
        }
    }

    private fun giveUp(
        master: Int,
        vote: Vote,
    ) {
        val desk = desks[master]
        desk.votes.remove(vote.slot)
        desk.spent = maxOf(desk.spent, vote.number)
        release(master, vote.slot, vote.number)
    }

    /** Everything but [keep]; also what may have been granted without being told. */
    private fun giveUp(keep: Int) {
        for ((master, desk) in desks.withIndex()) {
            desk.votes.values.filter { it.slot != keep }.forEach { giveUp(master, it) }
            val doubtful = desk.doubtful ?: continue
            if (doubtful.first == keep) continue
            desk.doubtful = null
            desk.spent = maxOf(desk.spent, doubtful.second)
            release(master, doubtful.first, doubtful.second)
        }
    }

    /** Not handed on: the next in this master's queue would most likely have no majority either. */
    private fun release(
        master: Int,
        slot: Int,
        number: Long,
    ) {
        steps += Step.Send(master, Request.Release(slot, Request.owner(bid, number), handsOn = false))
    }

    private fun leave(
        master: Int,
        number: Long,
    ) {
        // It has handed over what was granted, although it had said before that it could not; it said so on another connection.
        if (granted in desks[master].votes) return
        // What it took under these numbers is free again.
        desks[master].spent = maxOf(desks[master].spent, number)
        steps += Step.Send(master, Request.Leave(bid, number))
    }

    /** A master that has voted for what was granted has forgotten that the bid waits; one that has not answered yet may be about to vote. */
    private fun leaveAll() {
        for ((master, desk) in desks.withIndex()) {
            if (granted != Request.NONE && (desk.isOpen || granted in desk.votes)) continue
            if (desk.waitingUnder != Desk.NOTHING) leave(master, number)
            desk.waitingUnder = Desk.NOTHING
        }
    }

    // ---- decisions ---------------------------------------------------------------------------------------------------------

    private fun decide(now: Long) {
        dropOverdue(now)
        val answers = desks.count { it.hasAnswered }
        if (answers >= majority) heardAt = now
        if (strict) {
            desks.firstNotNullOfOrNull { it.problem }?.let { return fail(it) }
            if (phase == Phase.ASKING && desks.any { it.isOpen }) return
        }
        val favourite = favourite()
        val votes = if (favourite == null) emptyList() else votesFor(favourite)
        if (votes.size >= majority) return settle(favourite!!, votes, now)
        when (phase) {
            Phase.ASKING -> {
                val open = desks.count { it.isOpen }
                if (votes(slot) + open < majority && (answers >= majority || open == 0)) refused(now)
            }
            Phase.SETTLING -> refused(now)
            Phase.QUEUED -> if (votes.isNotEmpty()) gather(now) else freeSlot()?.let { ask(it, now) }
            Phase.PAUSING, Phase.GATHERING, Phase.DONE -> return
        }
    }

    private val Desk.hasAnswered: Boolean get() = !isOpen && problem == null && (refusal != null || votes.isNotEmpty())

    private fun settle(
        slot: Int,
        votes: List<Vote>,
        now: Long,
    ) {
        val fence = votes.maxOf { it.fence }
        if (votes.count { it.fence == fence } >= majority) return grant(slot, fence, votes)
        if (settling?.slot != slot || settling?.fence != fence) settling = Settling(slot, fence)
        if (phase != Phase.SETTLING) dueAt = now + pace().patience
        phase = Phase.SETTLING
        for (vote in votes) {
            if (vote.fence == fence || !settling!!.sent.add(vote.master)) continue
            val held = Request.Held(slot, Request.owner(bid, vote.number), fence)
            steps += Step.Send(vote.master, Request.Renew(listOf(held)))
        }
    }

    private fun grant(
        slot: Int,
        fence: Long,
        votes: List<Vote>,
    ) {
        giveUp(keep = slot)
        granted = slot
        finish()
        leaveAll()
        steps += Step.Granted(slot, fence, votes, number)
    }

    private fun finish() {
        phase = Phase.DONE
        dueAt = Long.MAX_VALUE
    }

    private fun fail(problem: Throwable) {
        finish()
        giveUp(keep = Request.NONE)
        leaveAll()
        steps += Step.Failed(problem)
    }

    private fun refused(now: Long) {
        settling = null
        val answers = desks.count { it.hasAnswered }
        val met = desks.any { it.votes.isNotEmpty() }
        // It was free there, and is again.
        val mine = desks.map { it.votes.keys.toSet() }
        giveUp(keep = Request.NONE)
        val free = freeSlot(mine)
        when {
            answers < majority -> pause(slot, now, pace().backoff * AWAY)
            free != null && (waits || tries < MOST_TRIES) -> if (met) pause(free, now, pace().backoff) else ask(free, now)
            waits -> queue(now)
            else -> {
                finish()
                steps += Step.Denied
            }
        }
    }

    /** One of the slots that a majority of voting masters has free, at random. */
    private fun freeSlot(mine: List<Set<Int>>? = null): Int? {
        val free = HashMap<Int, Int>()
        for ((master, desk) in desks.withIndex()) {
            if (desk.isQuarantined) continue
            for (slot in desk.refusal?.free.orEmpty()) free.merge(slot, 1, Int::plus)
            for (slot in mine?.get(master).orEmpty()) free.merge(slot, 1, Int::plus)
        }
        val enough = free.filterValues { it >= majority }.keys
        return if (enough.isEmpty()) null else enough.random(random)
    }

    private fun pause(
        next: Int,
        now: Long,
        longest: Long,
    ) {
        slot = next
        phase = Phase.PAUSING
        dueAt = now + (longest * (1 shl minOf(meetings++, MOST_DOUBLINGS)) * random.nextDouble(LEAST_PART, 1.0)).toLong()
    }

    private fun ask(
        wanted: Int,
        now: Long,
    ) {
        slot = wanted
        phase = Phase.ASKING
        tries++
        giveUp(keep = wanted)
        send(now) { wanted !in it.votes }
        dueAt = now + pace().patience
        // It may be enough what is there already.
        if (desks.none { it.isOpen }) decide(now)
    }

    /** Asks those that do not know that it waits, and goes on waiting. */
    private fun queue(now: Long) {
        phase = Phase.QUEUED
        slot = Request.NONE
        isPlaced = true
        nextLook(now)
        send(now) { it.waitingUnder == Desk.NOTHING }
    }

    private fun look(now: Long) {
        phase = Phase.QUEUED
        slot = Request.NONE
        nextLook(now)
        send(now) { true }
    }

    /** After a while, or when the first slot ends by itself. */
    private fun nextLook(now: Long) {
        val safety = (pace().safety * random.nextDouble(1 - JITTER, 1 + JITTER)).toLong()
        val ends = desks.mapNotNull { desk -> desk.refusal?.endsInMillis?.takeIf { it >= 0 } }.minOrNull()
        val end = if (ends == null) Long.MAX_VALUE else (ends + 1) * MILLIS + (pace().backoff * random.nextDouble()).toLong()
        dueAt = now + minOf(safety, end)
    }

    private fun gather(now: Long) {
        phase = Phase.GATHERING
        dueAt = now + pace().grace
    }

    private inline fun send(
        now: Long,
        to: (Desk) -> Boolean,
    ) {
        number++
        if (sentAt.size > MOST_REMEMBERED) sentAt.values.removeIf { it + pace().usable <= now }
        sentAt[number] = now
        for ((master, desk) in desks.withIndex()) {
            if (!to(desk)) continue
            desk.ask(number)
            if (waits) desk.waitingUnder = number
            if (slot != Request.NONE) desk.doubtful = Pair(slot, number)
            steps += Step.Send(master, Request.Take(bid, number, slot, waits, if (isPlaced) place else -1, recipient))
        }
    }

    companion object {
        /** Of one that does not wait. */
        private const val MOST_TRIES = 16
        private const val MOST_DOUBLINGS = 5
        private const val MOST_REMEMBERED = 32
        private const val LEAST_PART = 0.2
        private const val JITTER = 0.2
        private const val AWAY = 4
        private const val MILLIS = 1_000_000L
    }
}

/** The masters were told of another longest lease first. */
internal class LongestMismatch(
    val agreedMillis: Long,
) : IllegalArgumentException()
