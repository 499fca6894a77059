package io.signalbox.ledger

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ExchangeReply
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.memory.MemoryLedger
import io.signalbox.internal.memory.MemoryLedgers
import kotlinx.coroutines.async
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource

/** A line whose answers can be kept back. */
private class SlowLine(
    private val line: Ledger,
) : Ledger by line {
    private val keptBack = mutableListOf<() -> Unit>()
    var slow = false

    override fun exchange(
        name: LedgerName,
        silentSince: Long,
        exchange: () -> Exchange?,
        reply: ExchangeReply,
    ) = line.exchange(name, silentSince, exchange) { answer, failure ->
        if (slow) keptBack += { reply.complete(answer, failure) } else reply.complete(answer, failure)
    }

    fun deliver() {
        slow = false
        keptBack.forEach { it() }
        keptBack.clear()
    }
}

class OvertakenAnswerSpec : FunSpec({
    test("an answer that admits, overtaken by the announcement that gives: holders are those of the gift") {
        runTest {
            val ledgers = MemoryLedgers(testTimeSource)
            val line = SlowLine(MemoryLedger(ledgers, "test", backgroundScope))
            val two = HandleSettings(declared = 2, bounded = true, longestMillis = 0, holdMillis = -1)
            val holder = coordinatorOf(MemoryLedger(ledgers, "test", backgroundScope)).apply { join(two) }
            val waiter = coordinatorOf(line).apply { join(two) }
            val both = holder.acquire(weight = 2, waits = true)!!

            line.slow = true
            // Admitted while two are held.
            val waiting = async { waiter.acquire(weight = 1, waits = true)!! }
            runCurrent()
            both.release() shouldBe true
            runCurrent()
            line.deliver()

            waiting.await().holdersAtGrant shouldBe 1
        }
    }
})
