package io.signalbox.examples.demo.semaphore

import kotlin.time.Duration.Companion.nanoseconds

/** Makes turns, and a story, out of the news; to be fed in the order of time. Not thread-safe. */
internal class Journal(private val plan: Plan) {
    private val current = LinkedHashMap<Int, Turn>()
    private val waiting = LinkedHashSet<Int>()
    private val finished = mutableListOf<Turn>()
    private val written = mutableListOf<RegisterAnswer>()
    private val readied = mutableMapOf<Int, Long>()

    val turns: List<Turn> get() = finished + current.values

    val answers: List<RegisterAnswer> get() = written

    /** The workers that have become ready, and when. */
    val ready: Map<Int, Long> get() = readied

    /** The workers that hold a permit, in the order of their grants. */
    val holding: Collection<Int> get() = current.keys

    /** The workers in the queue, in its order. */
    val queued: Collection<Int> get() = waiting

    var kill: Kill? = null
        private set

    /** The turn that showed that the killed holder's permit was back. */
    var comeback: Turn? = null
        private set

    /** The worker whose permit is still held by nobody alive. */
    val ghost: Int? get() = kill?.takeIf { comeback == null }?.turn?.worker

    fun turnsOf(worker: Int): Int = turns.count { it.worker == worker }

    fun holdingSince(worker: Int): Long? = current[worker]?.grantedAt

    fun add(news: News): List<Happening> = when (val event = news.event) {
        is Ready -> readied(news.worker, event)
        is Waits -> waits(news.worker, event)
        is Holds -> holds(news.worker, event)
        is Writes -> writes(news.worker, event)
        is LetsGo -> letsGo(news.worker, event)
        is Killed -> killed(news.worker, event)
        is Happening -> listOf(event)
    }

    private fun readied(worker: Int, report: Ready): List<Happening> {
        readied[worker] = report.at
        return emptyList()
    }

    private fun waits(worker: Int, report: Waits): List<Happening> {
        waiting += worker
        return listOf(Happening(report.at, "worker $worker joins the queue"))
    }

    private fun holds(worker: Int, report: Holds): List<Happening> {
        waiting -= worker
        current[worker] = Turn(worker, report.token, report.askedAt, report.at, report.heldAtGrant)
        val waited = (report.at - report.askedAt).nanoseconds
        val grant = Happening(report.at, "worker $worker gets a permit after ${waited.inSeconds()}, token ${report.token}")
        return listOf(grant) + listOfNotNull(noticeComeback())
    }

    private fun noticeComeback(): Happening? {
        val kill = kill.takeIf { comeback == null } ?: return null
        val turn = comeback(kill, turns, plan.permits) ?: return null
        comeback = turn
        val delay = (turn.grantedAt - kill.at).nanoseconds.inSeconds()
        val text = "killed worker ${kill.turn.worker}'s permit is back $delay after the kill, lease ${plan.lease.inSeconds(0)}"
        return Happening(turn.grantedAt, text, Happening.Weight.GOOD)
    }

    private fun writes(worker: Int, report: Writes): List<Happening> {
        val answer = report.answer
        written += answer
        if (answer.accepted) return emptyList()
        val text = "worker $worker's write is refused: a newer token was there first"
        return listOf(Happening(report.at, text, Happening.Weight.NOTABLE))
    }

    private fun letsGo(worker: Int, report: LetsGo): List<Happening> {
        val turn = current.remove(worker) ?: return emptyList()
        finished += turn.ended(report.at, report.lost)
        if (report.lost) return listOf(Happening(report.at, "worker $worker lost its permit, token ${turn.token}", Happening.Weight.BAD))
        val held = (report.at - turn.grantedAt).nanoseconds
        return listOf(Happening(report.at, "worker $worker gives it back after ${held.inSeconds()}"))
    }

    private fun killed(worker: Int, report: Killed): List<Happening> {
        waiting -= worker
        val turn = current.remove(worker)
        if (turn == null) {
            val text = "worker $worker is killed, but it had just let go; another one will be"
            return listOf(Happening(report.at, text, Happening.Weight.BAD))
        }
        val last = turn.ended(report.at)
        finished += last
        kill = Kill(report.at, last)
        return listOf(Happening(report.at, "worker $worker is killed (SIGKILL) while it holds a permit", Happening.Weight.BAD))
    }
}
