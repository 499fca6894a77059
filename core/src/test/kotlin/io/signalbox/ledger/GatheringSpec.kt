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
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource

/** A line that writes down how many acquires leave with each exchange that has any. */
private class CountingLine(
    private val line: Ledger,
) : Ledger by line {
    val acquires = mutableListOf<Int>()

    override fun exchange(
        name: LedgerName,
        silentSince: Long,
        exchange: () -> Exchange?,
        reply: ExchangeReply,
    ) = line.exchange(
        name,
        silentSince,
        { exchange()?.also { sent -> sent.acquires.sumOf { it.count }.let { if (it > 0) acquires += it } } },
        reply,
    )
}

class GatheringSpec : FunSpec({
    test("acquires that come behind others anyway leave together, a millisecond later at the latest") {
        runTest {
            val ledgers = MemoryLedgers(testTimeSource)
            val line = CountingLine(MemoryLedger(ledgers, "test", backgroundScope))
            val one = HandleSettings(declared = 1, bounded = true, longestMillis = 0, holdMillis = -1)
            val here = coordinatorOf(line).apply { join(one) }
            val there = coordinatorOf(MemoryLedger(ledgers, "test", backgroundScope)).apply { join(one) }
            val permit = here.acquire(weight = 1, waits = true)!!
            val admitted = async { here.acquire(weight = 1, waits = true)!!.release() }
            runCurrent()
            val other = async { there.acquire(weight = 1, waits = true)!!.release() }
            runCurrent()
            // Whose answer says that others are queued.
            val first = async { here.acquire(weight = 1, waits = true)!!.release() }
            runCurrent()
            line.acquires shouldBe listOf(1, 1, 1)

            val gathered = List(3) { async { here.acquire(weight = 1, waits = true)!!.release() }.also { runCurrent() } }
            line.acquires shouldBe listOf(1, 1, 1)
            delay(3.milliseconds)
            line.acquires shouldBe listOf(1, 1, 1, 3)

            permit.release() shouldBe true
            (listOf(admitted, other, first) + gathered).awaitAll().all { it } shouldBe true
        }
    }
})
