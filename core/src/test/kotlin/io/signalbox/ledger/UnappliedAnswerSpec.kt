package io.signalbox.ledger

import ch.qos.logback.classic.Level
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.ledger.Announcement
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ExchangeReply
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.ledger.News
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionListener
import io.signalbox.internal.memory.MemoryLedger
import io.signalbox.internal.memory.MemoryLedgers
import io.signalbox.logging.logged
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.delay
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import kotlinx.coroutines.withTimeout

/** A store whose answers belong to something else, now and then. */
private class ConfusedLine(
    private val line: Ledger,
) : Ledger by line {
    var confuse: ((Answer.Done) -> Answer)? = null
    var open: (() -> Opened)? = null
    lateinit var listener: SessionListener

    override fun listen(
        session: String,
        listener: SessionListener,
    ) {
        this.listener = listener
        line.listen(session, listener)
    }

    override suspend fun open(
        name: LedgerName,
        opening: Opening,
    ): Opened = open?.also { open = null }?.invoke() ?: line.open(name, opening)

    override fun exchange(
        name: LedgerName,
        silentSince: Long,
        exchange: () -> Exchange?,
        reply: ExchangeReply,
    ) = line.exchange(name, silentSince, exchange) { answer, failure ->
        val confused = confuse?.takeIf { answer is Answer.Done }?.also { confuse = null }
        reply.complete(if (confused == null) answer else confused(answer as Answer.Done), failure)
    }
}

/** Whatever is thrown while an answer is taken in ends the calls that it belongs to, and no other. */
class UnappliedAnswerSpec : FunSpec({
    val once = HandleSettings(declared = 2, bounded = false, longestMillis = 0, holdMillis = -1)
    val answers: Map<String, (Answer.Done) -> Answer> =
        mapOf(
            "without outcomes" to { it.copy(granted = emptyList()) },
            "without results" to { it.copy(results = emptyList(), granted = emptyList()) },
            "with a grant that contradicts" to {
                it.copy(
                    record = it.record.copy(admitted = it.record.admitted + 5),
                    unread = listOf(News.Admitted(77, 1, 3, 3, 3), News.Admitted(90, 2, 2, 2, 2)),
                )
            },
        )
    for ((kind, confuse) in answers) {
        test("an answer $kind: every call has an end, and the next ones work") {
            runTest {
                val line = ConfusedLine(MemoryLedger(MemoryLedgers(testTimeSource), "test", backgroundScope))
                val coordinator = coordinatorOf(line)
                coordinator.join(once)
                line.confuse = confuse
                val calls =
                    listOf(
                        async { runCatching { coordinator.acquire(weight = 1, waits = true)?.release() } },
                        async { runCatching { coordinator.acquire(weight = 1, waits = false)?.release() } },
                        async { runCatching { coordinator.ask(Command.AddPermits(1)) } },
                        async { runCatching { coordinator.ask(null) } },
                    )
                withTimeout(5.minutes) { calls.awaitAll() }.forEach { outcome ->
                    withClue(outcome) { outcome.exceptionOrNull()?.let { it is StoreUnavailableException } ?: true shouldBe true }
                }
                delay(20.seconds)
                List(2) { coordinator.acquire(weight = 1, waits = true)!! }.forEach { it.release() shouldBe true }
            }
        }
    }

    test("what could not be applied is logged, once") {
        runTest {
            val lines = logged(Level.ERROR) {
                val line = ConfusedLine(MemoryLedger(MemoryLedgers(testTimeSource), "test", backgroundScope))
                val coordinator = coordinatorOf(line)
                coordinator.join(once)
                line.confuse = answers.getValue("without outcomes")
                shouldThrow<StoreUnavailableException> { coordinator.acquire(weight = 1, waits = true) }
                coordinator.acquire(weight = 1, waits = true)!!.release() shouldBe true
            }
            lines.single { "could not be applied" in it } shouldContain "What the store has said of semaphore 'api'"
        }
    }

    test("announcements that make no sense harm no waiter") {
        runTest {
            val ledgers = MemoryLedgers(testTimeSource)
            val line = ConfusedLine(MemoryLedger(ledgers, "test", backgroundScope))
            val coordinator = coordinatorOf(line)
            coordinator.join(once)
            val permits = List(2) { coordinator.acquire(weight = 1, waits = true)!! }
            val waiter = async { coordinator.acquire(weight = 1, waits = true) }
            runCurrent()
            for (news in listOf(News.Admitted(0, 1, Int.MAX_VALUE, 1, 1), News.Granted(2, -1, Int.MAX_VALUE, 1, Long.MIN_VALUE))) {
                line.listener.onAnnouncement(Announcement("epoch", Long.MAX_VALUE, Long.MIN_VALUE, 0, 0, 0, listOf(news)))
            }
            permits.forEach { it.release() }
            withTimeout(5.minutes) { waiter.await() }!!.release()
        }
    }

    test("an opening that fails in a way that nobody has thought of ends the calls that wait for it") {
        runTest {
            val line = ConfusedLine(MemoryLedger(MemoryLedgers(testTimeSource), "test", backgroundScope))
            val coordinator = coordinatorOf(line)
            coordinator.join(once)
            // Idle for so long that its session is over.
            delay(5.minutes)
            line.open = { throw LinkageError("made up") }
            shouldThrow<StoreUnavailableException> { coordinator.acquire(weight = 1, waits = true) }.message shouldContain "made up"
            coordinator.acquire(weight = 1, waits = true)!!.release() shouldBe true
        }
    }
})
