package io.signalbox.benchmarks

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.string.shouldContain
import io.signalbox.benchmarks.contender.Contender
import io.signalbox.benchmarks.contender.Form
import io.signalbox.benchmarks.measure.CheckFailure
import io.signalbox.benchmarks.measure.ClosedLoop
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CompletableDeferred

/** The checks notice a contender that cheats. */
class ClosedLoopSpec :
    FunSpec({
        test("a grant that the server does not know of") {
            val failure = shouldThrow<CheckFailure> { ClosedLoop("cheat", Cheat(counted = 1), coroutines = 2, permits = 2).runPairs(1) }
            failure.message shouldContain "the server granted 1, the clients report 2"
        }

        test("more holders than permits") {
            val count = AtomicInteger()
            val all = CompletableDeferred<Unit>()
            val failure =
                shouldThrow<CheckFailure> {
                    ClosedLoop("cheat", Cheat(counted = 3), coroutines = 3, permits = 2).runPairs(1) {
                        if (count.incrementAndGet() == 3) all.complete(Unit)
                        all.await()
                    }
                }
            failure.message shouldContain "3 held at once, though there are 2 permits"
        }
        test("a token that is not larger than the one before, in either form") {
            Form.entries.forEach { form ->
                val cheat = Cheat(counted = 2, token = 7)
                val failure = shouldThrow<CheckFailure> { ClosedLoop("cheat", cheat, coroutines = 1, permits = 1, form).runPairs(2) }
                failure.message shouldContain "token 7 was granted after 7"
            }
        }
    })

private class Cheat(
    private val counted: Long,
    private val token: Long = 0,
) : Contender {
    private var asked = 0

    override suspend fun acquire(): Any = Unit

    override suspend fun release(grant: Any) = Unit

    override fun tokenOf(grant: Any): Long = token

    override suspend fun granted(): Long = if (asked++ == 0) 0 else counted

    override fun close() = Unit
}
