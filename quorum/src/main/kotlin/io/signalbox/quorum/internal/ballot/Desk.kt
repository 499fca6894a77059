package io.signalbox.quorum.internal.ballot

import io.signalbox.quorum.internal.master.Answer

/** What a bid knows of one master. Guarded by its coordinator's lock. */
internal class Desk {
    /** By slot. There can be several: what is handed over may be another one than is asked for. */
    val votes = HashMap<Int, Vote>(2)

    /** The request that is under way, or [NOTHING]. */
    var asked = NOTHING
        private set

    /** What it said in this round, if it has. */
    var refusal: Answer.Refused? = null
        private set
    var isQuarantined = false
        private set
    var problem: Throwable? = null
        private set

    /** Whether the bid is in its queue, or may be: under the largest number of a request to wait. */
    var waitingUnder = NOTHING

    /** A slot that it may have taken for the bid without saying so. */
    var doubtful: Pair<Int, Long>? = null

    /** Grants under this number and lower ones were given up, and count no more however often they are told. */
    var spent = NOTHING

    val isOpen: Boolean get() = asked != NOTHING

    fun ask(number: Long) {
        asked = number
        refusal = null
        problem = null
        isQuarantined = false
    }

    fun answered() {
        asked = NOTHING
    }

    fun refused(
        answer: Answer,
        refusal: Answer.Refused,
    ) {
        asked = NOTHING
        this.refusal = refusal
        isQuarantined = answer.code == Answer.Code.QUARANTINE
    }

    fun failed(problem: Throwable) {
        asked = NOTHING
        this.problem = problem
    }

    companion object {
        const val NOTHING = 0L
    }
}
