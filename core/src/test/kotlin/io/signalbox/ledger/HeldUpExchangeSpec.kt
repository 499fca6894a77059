package io.signalbox.ledger

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ExchangeReply
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.memory.MemoryLedger
import io.signalbox.internal.memory.MemoryLedgers
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource

/** A line that takes exchanges and does not write them, as a driver does between a disconnection and the next connection. */
private class StuckLine(
    private val line: Ledger,
) : Ledger by line {
    var stuck = false

    override fun exchange(
        name: LedgerName,
        silentSince: Long,
        exchange: () -> Exchange?,
        reply: ExchangeReply,
    ) {
        if (!stuck) line.exchange(name, silentSince, exchange, reply)
    }
}

class HeldUpExchangeSpec : FunSpec({
    test("while an exchange waits to be written, calls fail within the store timeout, one after the other") {
        runTest {
            val line = StuckLine(MemoryLedger(MemoryLedgers(testTimeSource), "test", backgroundScope))
            val coordinator = coordinatorOf(line, storeTimeoutMillis = 500)
            coordinator.join(HandleSettings(declared = 1, bounded = true, longestMillis = 0, holdMillis = -1))
            line.stuck = true

            repeat(5) {
                val before = currentTime
                shouldThrow<StoreUnavailableException> { coordinator.acquire(weight = 1, waits = true) }
                currentTime - before shouldBeLessThan 1_000
            }

            line.stuck = false
            // Virtual time, in which what was held up is repeated.
            delay(2.seconds)
            coordinator.acquire(weight = 1, waits = true)!!.release() shouldBe true
        }
    }
})
