package io.signalbox.timers.closing

import io.kotest.assertions.assertSoftly
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.SignalboxException
import io.signalbox.testkit.RedisServer
import io.signalbox.withLock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/** How calls are ended. */
internal enum class Way { CLOSE, CLOSE_AND_JOIN, SCOPE_CANCELLED }

/** The table of closing in `docs/operations.md`: every kind of call, whatever has become of the server, however it is ended. */
class ClosingTableSpec : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    beforeSpec {
        // What this process does for the first time takes longer than any call may here.
        Signalbox.connect(RedisServer.shared().uri) { namespace = "closing" }.run {
            mutex("first").withLock { }
            closeAndJoin()
        }
    }

    for (state in ServerState.entries) {
        test("every call in flight ends in time and with the truth, the server being ${state.name.lowercase()}") {
            withContext(Dispatchers.Default) {
                Way.entries.map { way -> async { play(state, way) } }.awaitAll()
            }
        }
    }
})

private class Ended(
    val call: Call,
    val outcome: Result<Any?>?,
    val after: Duration,
)

private suspend fun play(
    state: ServerState,
    way: Way,
) {
    val cell = Cell(state)
    try {
        val calls = cell.calls()
        cell.breakServer()
        val callers = CoroutineScope(Dispatchers.Default + SupervisorJob())
        val mark = TimeSource.Monotonic.markNow()
        val started = calls.map { it to callers.async(start = CoroutineStart.UNDISPATCHED) { runCatching { it.run() } } }
        when (way) {
            Way.CLOSE -> cell.client.close()
            Way.CLOSE_AND_JOIN -> cell.client.closeAndJoin()
            Way.SCOPE_CANCELLED -> callers.cancel()
        }
        val returned = mark.elapsedNow()
        val ended =
            coroutineScope {
                started.map { (call, outcome) ->
                    async {
                        withTimeoutOrNull(LIMIT) { outcome.join() }
                        val result = if (outcome.isActive) null else runCatching { outcome.await().getOrThrow() }
                        Ended(call, result, mark.elapsedNow())
                    }
                }.awaitAll()
            }
        assertSoftly {
            withClue("$way") { returned shouldBeLessThan LIMIT }
            ended.forEach { judge(it, state, way) }
        }
        cell.client.closeAndJoin()
        if (state == ServerState.HEALTHY) lookAt(cell, ended)
    } finally {
        cell.end()
    }
}

private fun judge(
    ended: Ended,
    state: ServerState,
    way: Way,
) = withClue("${ended.call.name}, $state, $way, after ${ended.after}: ${ended.outcome}") {
    val outcome = ended.outcome.shouldNotBeNull()
    ended.after shouldBeLessThan LIMIT
    val problem = outcome.exceptionOrNull()
    if (problem != null) {
        (problem is SignalboxException || (way == Way.SCOPE_CANCELLED && problem is CancellationException)) shouldBe true
    } else if (state != ServerState.HEALTHY && ended.call.says == Says.DONE) {
        // Nobody has confirmed anything.
        (outcome.getOrNull() == null || outcome.getOrNull() == false) shouldBe true
    }
}

/** What was said to be done is there. */
private suspend fun lookAt(
    cell: Cell,
    ended: List<Ended>,
) = cell.look { other, timers ->
    val done = ended.associate { it.call.name to it.outcome?.getOrNull() }
    assertSoftly {
        for ((kind, algorithm) in listOf("semaphore" to SemaphoreAlgorithm.Queue, "pool" to SemaphoreAlgorithm.Pool())) {
            if (done["$kind release"] != true) continue
            val semaphore = other.attach(kind) { this.algorithm = algorithm }
            withClue("$kind release") { semaphore.availablePermits() shouldBe semaphore.permits() }
        }
        if (done["mutex release"] == true) withClue("mutex release") { other.mutex("mutex").isLocked() shouldBe false }
        for ((call, id) in listOf("timers schedule" to "set", "timers scheduleAll" to "all", "timers scheduleRecurring" to "recurring")) {
            withClue(call) { if (done[call] == Unit || done[call] == true) timers.get(Words, id).shouldNotBeNull() }
        }
        if (done["timers cancel"] == true) timers.get(Words, "cancelled") shouldBe null
    }
}

/** The store timeout, and what a busy machine may add; for ever it was. */
private val LIMIT = Cell.STORE_TIMEOUT + 6.seconds
