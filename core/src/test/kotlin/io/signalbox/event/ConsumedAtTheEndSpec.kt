package io.signalbox.event

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ExchangeReply
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.memory.MemoryLedger
import io.signalbox.internal.memory.MemoryLedgers
import io.signalbox.ledger.coordinatorOf
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource

/** How far the word of a consumed signal has come when its consumer says goodbye. */
private enum class Gap { MARKED_ONLY, LOST_ON_ITS_WAY, NOT_ANSWERED, ANSWERED }

/** A line on which nothing gets further than [gap] while it [isGapped]. */
private class GappedLine(
    private val line: Ledger,
    private val gap: Gap,
    /** The bug: a goodbye says what an answered exchange has said before, and not what was marked since. */
    private val isForgetful: Boolean,
) : Ledger by line {
    var isGapped = false
    private var consumed = 0L

    override fun exchange(
        name: LedgerName,
        silentSince: Long,
        exchange: () -> Exchange?,
        reply: ExchangeReply,
    ) {
        when (gap.takeIf { isGapped }) {
            Gap.MARKED_ONLY -> Unit

            Gap.LOST_ON_ITS_WAY -> exchange()

            Gap.NOT_ANSWERED -> line.exchange(name, silentSince, exchange) { _, _ -> }

            Gap.ANSWERED, null ->
                line.exchange(name, silentSince, { exchange()?.let(::said) }) { answer, failure ->
                    if (answer is Answer.Done) consumed = answer.record.consumed
                    reply.complete(answer, failure)
                }
        }
    }

    private fun said(exchange: Exchange): Exchange =
        if (!isForgetful || !exchange.goodbye) {
            exchange
        } else {
            exchange.run {
                Exchange(session, number, epoch, inbox, words.copy(consumed = consumed), leaves = leaves, goodbye = true)
            }
        }
}

/** A signal is consumed the moment it is marked to be, however far the word of it has come when its consumer closes. */
class ConsumedAtTheEndSpec : FunSpec({
    /** Whether a signal that was consumed is there again after its consumer has closed. */
    fun isDeliveredAgain(
        gap: Gap,
        isForgetful: Boolean,
    ): Boolean {
        var again = false
        runTest {
            val handle = HandleSettings(declared = 0, bounded = false, longestMillis = 0, holdMillis = -1)
            val store = MemoryLedger(MemoryLedgers(testTimeSource), "test", backgroundScope)
            val line = GappedLine(store, gap, isForgetful)
            val consumer = coordinatorOf(line, kind = Kind.EVENT, leaseMillis = 600_000).also { it.join(handle) }
            val other = coordinatorOf(store, kind = Kind.EVENT, leaseMillis = 600_000).also { it.join(handle) }
            other.ask(Command.Signal(most = 10, keepMillis = -1))
            val signal = consumer.acquire(weight = 1, waits = false)!!

            line.isGapped = true
            signal.consume() shouldBe true
            runCurrent()
            line.isGapped = false
            consumer.close()
            consumer.awaitFarewell()

            again = other.acquire(weight = 1, waits = false) != null
        }
        return again
    }

    for (gap in Gap.entries) {
        test("a consumed signal is not delivered again, its word being ${gap.name.lowercase().replace('_', ' ')}") {
            isDeliveredAgain(gap, isForgetful = false) shouldBe false
        }
    }

    for (gap in listOf(Gap.MARKED_ONLY, Gap.LOST_ON_ITS_WAY)) {
        test("found: a goodbye forgets what was marked and not answered, its word being ${gap.name.lowercase().replace('_', ' ')}") {
            isDeliveredAgain(gap, isForgetful = true) shouldBe true
        }
    }
})
