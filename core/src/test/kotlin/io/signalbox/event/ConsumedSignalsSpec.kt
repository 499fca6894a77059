package io.signalbox.event

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.signalbox.internal.ledger.AcquireRun
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.Words
import io.signalbox.internal.memory.SemaphoreState
import io.signalbox.internal.memory.execute
import io.signalbox.internal.memory.open

private const val START = 1_000_000L

/** In the rules themselves, which the scripts are held against: what an exchange consumes is not kept, and nobody else's. */
class ConsumedSignalsSpec :
    FunSpec({
        fun event(): SemaphoreState =
            open(null, Opening("a.1", "", "label", "inbox", 30_000, 60_000, 0, false, 0, "epoch", 0, 0, emptyList()), START * 1000)
                .first!!

        fun SemaphoreState.exchange(
            number: Long,
            after: Long,
            commands: List<Command>,
            acquires: Int = 0,
            consumed: Long = 0,
        ): Answer.Done {
            val runs = if (acquires == 0) emptyList() else listOf(AcquireRun(acquires, weight = 1, holdMillis = -1, waits = false))
            val words = Words(returned = consumed, passed = consumed, consumed = consumed)
            val exchange = Exchange("a.1", number, "epoch", "inbox", words, number * 10, runs, commands = commands)
            return execute(exchange, (START + after) * 1000, bound = 100).answer as Answer.Done
        }

        test("a signal consumed after its time takes no other along") {
            val event = event()
            val mortalAndKept = listOf(Command.Signal(10, keepMillis = 60), Command.Signal(10, keepMillis = -1))
            event.exchange(1, after = 0, mortalAndKept, acquires = 1).permits shouldBe 2
            event.exchange(2, after = 100, emptyList(), consumed = 1).permits shouldBe 1
        }

        test("clearing beside it counts what is kept only") {
            val event = event()
            event.exchange(1, after = 0, List(2) { Command.Signal(10, keepMillis = -1) }, acquires = 1)
            val cleared = event.exchange(2, after = 1, listOf(Command.Clear), consumed = 1)
            cleared.results shouldBe listOf(1)
            cleared.permits shouldBe 0
        }

        test("where nothing is kept any more, what is consumed is not looked for among what was") {
            val event = event()
            event.exchange(1, after = 0, listOf(Command.Signal(10, keepMillis = -1), Command.Redeclare(0)))
            event.exchange(2, after = 1, listOf(Command.Redeclare(5)), acquires = 1)
            event.exchange(3, after = 2, emptyList(), consumed = 1).permits shouldBe 4
            event.keep shouldBe 0
            // As the script does: a set that it does not look at.
            event.signals.size shouldBe 1
        }
    })
