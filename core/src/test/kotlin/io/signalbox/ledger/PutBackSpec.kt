package io.signalbox.ledger

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldNotContain
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.SignalboxListener
import io.signalbox.internal.Observers
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.HeldPermit
import io.signalbox.internal.coordination.NanoClock
import io.signalbox.internal.coordination.PermitState
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ExchangeReply
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.memory.MemoryLedger
import io.signalbox.internal.memory.MemoryLedgers
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource

/** A line to a store that can be lost: from then on another one is there. */
private class MovableLine(
    private var line: Ledger,
) : Ledger by line {
    val answers = ArrayList<Answer?>()

    fun move(to: Ledger) {
        line = to
    }

    override suspend fun open(
        name: LedgerName,
        opening: Opening,
    ): Opened = line.open(name, opening)

    override fun exchange(
        name: LedgerName,
        silentSince: Long,
        exchange: () -> Exchange?,
        reply: ExchangeReply,
    ) = line.exchange(name, silentSince, exchange) { answer, failure ->
        answers += answer
        reply.complete(answer, failure)
    }
}

/** Shows what [clock] does, and does [once] what is to happen in the middle of something that looks at the clock. */
private class InterruptedClock(
    private val clock: NanoClock,
) : NanoClock {
    var once: (() -> Boolean)? = null

    override fun nanos(): Long {
        once?.let { action ->
            once = null
            if (!action()) once = action
        }
        return clock.nanos()
    }
}

/** A session that puts permits back, in the middle of which one of them is released. */
class PutBackSpec : FunSpec({
    test("a permit that is released while its session puts it back is counted once") {
        runTest {
            val clock = InterruptedClock(virtualClock())

            fun store() = MemoryLedger(MemoryLedgers(testTimeSource), "test", backgroundScope)

            val two = HandleSettings(declared = 2, bounded = true, longestMillis = 0, holdMillis = -1)
            val line = MovableLine(store())
            // Somebody listens: then the clock is looked at in the middle of it, to say for how long what is lost was held.
            val observers = Observers().apply { add(object : SignalboxListener {}) }
            val coordinator = coordinatorOf(line, clock = clock, observers = observers)
            coordinator.join(two)
            val (kept, lost) = List(2) { coordinator.acquire(weight = 1, waits = true)!! }

            // All is lost, and somebody else has one of two already: one of ours can be put back.
            val another = store()
            val other = coordinatorOf(another)
            other.join(two)
            val others = other.acquire(weight = 1, waits = true)!!
            var released: Boolean? = null
            clock.once = { releaseIf(lost, kept) { released = it } }
            line.move(another)
            delay(8.seconds)

            lost.state shouldBe PermitState.LOST
            released shouldBe true
            line.answers.map { it?.javaClass } shouldNotContain Answer.Contradiction.javaClass
            coordinator.usage().held shouldBe 0
            // The one that is free, and no more.
            val next = other.acquire(weight = 1, waits = false).shouldNotBeNull()
            coordinator.acquire(weight = 1, waits = false).shouldBeNull()
            listOf(next, others).forEach { it.release() shouldBe true }
        }
    }
})

/** Once [lost] is, in another thread, as a release is that needs no lock: whether it was done. */
private fun releaseIf(
    lost: HeldPermit,
    kept: HeldPermit,
    tell: (Boolean) -> Unit,
): Boolean {
    if (lost.state != PermitState.LOST || kept.state != PermitState.HELD) return false
    thread { tell(kept.letGo()) }.join()
    return true
}
