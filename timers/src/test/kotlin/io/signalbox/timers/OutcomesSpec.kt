package io.signalbox.timers

import ch.qos.logback.classic.Level
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.InMemoryStore
import io.signalbox.Signalbox
import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.BackendOwner
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.redis.RedisLine
import io.signalbox.logging.logged
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.behaviour.Log
import io.signalbox.timers.behaviour.Note
import io.signalbox.timers.behaviour.Notes
import io.signalbox.timers.behaviour.freshNamespace
import io.signalbox.timers.behaviour.note
import io.signalbox.timers.behaviour.soon
import io.signalbox.timers.internal.DefaultTimers
import io.signalbox.timers.internal.ledger.TimerLedger
import io.signalbox.timers.internal.ledger.Write
import io.signalbox.timers.internal.ledger.WriteAnswer
import io.signalbox.timers.internal.ledgerOf
import io.signalbox.timers.internal.redis.TimerAnswers
import java.time.Instant
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout

/** Throws what [problem] makes, for the tasks that it is told to. */
private class Choosy(
    private val refuses: () -> Boolean,
) : CoroutineDispatcher() {
    override fun dispatch(
        context: CoroutineContext,
        block: Runnable,
    ) {
        if (refuses()) throw OutOfMemoryError("unable to create native thread")
        Dispatchers.Default.dispatch(context, block)
    }
}

/** A store whose answer to a write cannot be used, once. */
private class Failing(
    private val ledger: TimerLedger,
    private val failure: () -> Throwable,
) : TimerLedger by ledger {
    var fails = false

    override suspend fun write(
        shard: Int,
        write: Write,
    ): WriteAnswer {
        val answer = ledger.write(shard, write)
        if (fails) {
            fails = false
            throw failure()
        }
        return answer
    }
}

/** Outcomes that are refused, unknown or make no sense, other people's code that fails, and clients that crash. */
class OutcomesSpec : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    fun service(
        client: Signalbox,
        log: Log = Log(),
    ) = Timers(client, log) {
        takeoverAfter = 1.hours
        on(Notes, handler = { note(it) })
    }

    // What is done to a server, and what those are told whom it refuses then.
    for ((name, refusal) in mapOf<String, Pair<String, RedisServer.() -> Unit>>(
        "too few replicas" to Pair("min-replicas-to-write") { command("CONFIG", "SET", "min-replicas-to-write", "1") },
        "a replica of nobody" to Pair("no writes") { command("REPLICAOF", "127.0.0.1", "1") },
        "a rotated password" to Pair("rejects the credentials") {
            command("ACL", "SETUSER", "app", "resetpass", ">another")
            command("CLIENT", "KILL", "USER", "app")
        },
    )) {
        test("$name: whoever sets or changes a timer is told at once, and all goes on when it is over") {
            val (told, refuse) = refusal
            val lines = logged(Level.WARN) {
                RedisServer.start().use { server ->
                    server.command("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all")
                    withContext(Dispatchers.Default) {
                        val client = Signalbox.connect("redis://app:secret@${server.host}:${server.port}") { storeTimeout = 30.seconds }
                        val log = Log()
                        val timers = service(client, log)
                        val run = launch { timers.run() }
                        timers.schedule(Notes, "before", Note("x"), after = 1.hours)
                        server.refuse()
                        for (call in listOf<suspend () -> Any?>(
                            { timers.schedule(Notes, "new", Note("x"), after = 1.hours) },
                            { timers.cancel(Notes, "before") },
                            { timers.scheduleAll(Notes, List(3) { NewTimer("$it", Note("x"), 1.hours) }) },
                        )) {
                            val passed =
                                measureTime {
                                    val text = shouldThrow<StoreUnavailableException> { call() }.message
                                    text shouldContain told
                                }
                            passed shouldBeLessThan 10.seconds
                        }
                        server.command("CONFIG", "SET", "min-replicas-to-write", "0")
                        server.command("REPLICAOF", "NO", "ONE")
                        server.command("ACL", "SETUSER", "app", "resetpass", ">secret")
                        timers.schedule(Notes, "after", Note("x"), after = 1.milliseconds)
                        log.next().id shouldBe "after"
                        soon { timers.count(Notes) shouldBe 1 }
                        run.cancelAndJoin()
                        client.closeAndJoin()
                    }
                }
            }
            // Once while it lasts, not at each attempt.
            val waiting = lines.filter { "; timers of " in it }.map { it.substringAfter("; timers of ").substringBefore(" wait") }
            waiting shouldBe waiting.distinct()
        }
    }

    for ((kind, failure) in mapOf<String, () -> Throwable>(
        "an exception" to { IllegalStateException("made up") },
        "an error" to { LinkageError("made up") },
        "what cannot be understood" to { LedgerFailureOf.unlike() },
    )) {
        test("$kind thrown while an answer is taken in ends the calls that it belongs to, and no other") {
            runTest {
                lateinit var line: Failing
                val client = Signalbox.inMemory(InMemoryStore(testTimeSource), backgroundScope)
                val settings = TimersSettings<Log>().apply { on(Notes, handler = { note(it) }) }
                val timers =
                    DefaultTimers(client as BackendOwner, Log(), settings) { backend, config ->
                        Failing(ledgerOf(backend, config), failure).also { line = it }
                    }
                timers.schedule(Notes, "first", Note("x"), after = 1.hours)
                line.fails = true
                val calls = List(5) { id -> async { runCatching { timers.schedule(Notes, "$id", Note("x"), after = 1.hours) } } }
                withTimeout(5.minutes) { calls.forEach { it.await() } }
                calls.count { it.await().isFailure } shouldBeGreaterThan 0
                timers.schedule(Notes, "next", Note("x"), after = 1.hours)
                timers.cancel(Notes, "first") shouldBe true
            }
        }
    }

    test("a handler whose dispatcher throws has failed, and is tried again; others are handled") {
        withContext(Dispatchers.Default) {
            val client = Signalbox.inMemory()
            val log = Log()
            val timers =
                Timers(client, log) {
                    takeoverAfter = 1.hours
                    on(Notes) { note(it) }
                }
            timers.scheduleAll(Notes, List(3) { NewTimer("$it", Note("x"), 1.milliseconds) })
            var tasks = 0
            // The first is the coroutine of run() itself, which has to begin.
            val choosy = Choosy { synchronized(log) { ++tasks == 2 } }
            val run = CoroutineScope(Job() + CoroutineExceptionHandler { _, _ -> }).launch(choosy) { timers.run() }
            val handled = List(3) { log.next() }
            handled.map { it.id } shouldContainExactlyInAnyOrder listOf("0", "1", "2")
            handled.count { it.attempt == 2 } shouldBe 1
            run.cancelAndJoin()
            client.closeAndJoin()
        }
    }

    test("a caller whose dispatcher throws harms no other, and its timer is set") {
        withContext(Dispatchers.Default) {
            val client = Signalbox.inMemory()
            val timers = service(client)
            timers.schedule(Notes, "warm", Note("x"), after = 1.hours)
            var refuses = false
            val orphans = CoroutineScope(SupervisorJob() + Choosy { refuses } + CoroutineExceptionHandler { _, _ -> })
            orphans.launch {
                refuses = true
                timers.schedule(Notes, "orphan", Note("x"), after = 1.hours)
            }
            withTimeout(30.seconds) {
                while (timers.get(Notes, "orphan") == null) timers.schedule(Notes, "other", Note("x"), after = 1.hours)
                timers.cancel(Notes, "orphan") shouldBe true
            }
            client.closeAndJoin()
        }
    }

    test("a client whose scope was cancelled refuses every call at once, and those on their way end") {
        runTest {
            val crashing = CoroutineScope(backgroundScope.coroutineContext + Job())
            val timers = service(Signalbox.inMemory(InMemoryStore(testTimeSource), crashing))
            val run = async { runCatching { timers.run() } }
            timers.schedule(Notes, "a", Note("x"), after = 1.hours)
            val onItsWay = async { runCatching { timers.schedule(Notes, "b", Note("x"), after = 1.hours) } }
            crashing.cancel()
            val before = currentTime
            for ((name, call) in mapOf<String, suspend () -> Any?>(
                "schedule" to { timers.schedule(Notes, "c", Note("x"), after = 1.hours) },
                "scheduleAll" to { timers.scheduleAll(Notes, listOf(NewTimer("d", Note("x"), 1.hours))) },
                "scheduleRecurring" to { timers.scheduleRecurring(Notes, "e", Note("x"), Recurrence.fixedRate(1.hours)) },
                "cancel" to { timers.cancel(Notes, "a") },
                "get" to { timers.get(Notes, "a") },
                "list" to { timers.list(Notes) },
                "count" to { timers.count(Notes) },
                "now" to { timers.now() },
                "run" to { timers.run() },
                "handleReady" to { timers.handleReady() },
            )) {
                withClue(name) { shouldThrow<SignalboxClosedException> { call() } }
            }
            runCurrent()
            (run.await().exceptionOrNull() is SignalboxClosedException) shouldBe true
            onItsWay.await().exceptionOrNull()?.let { (it is SignalboxClosedException) shouldBe true }
            currentTime shouldBe before
        }
    }

    test("under runTest on a server: timers are set, asked for and handled") {
        runTest {
            val client = Signalbox.connect(RedisServer.shared().uri) { namespace = freshNamespace() }
            val log = Log()
            val timers = service(client, log)
            timers.schedule(Notes, "later", Note("x"), after = 1.hours)
            timers.get(Notes, "later")!!.id shouldBe "later"
            timers.list(Notes).timers.size shouldBe 1
            (timers.now() > Instant.EPOCH) shouldBe true
            timers.schedule(Notes, "now", Note("x"), after = 1.milliseconds)
            val run = launch { timers.run() }
            withContext(Dispatchers.Default) { log.next().id shouldBe "now" }
            run.cancelAndJoin()
            timers.cancel(Notes, "later") shouldBe true
            timers.handleReady().succeeded shouldBe 0
            client.closeAndJoin()
        }
    }

    test("an answer that is none of the scripts' is told as one, whatever was asked") {
        for (reply in listOf("", "OK", "1 2", "x y z", "9999999999999999999999 1 2", "1 x", "01 y")) {
            val lines = listOf(reply.toByteArray())
            for (read in listOf<
                (
                    List<ByteArray>,
                ) -> Any?,
                >({ TimerAnswers.written(it) }, { TimerAnswers.turned(it) }, { TimerAnswers.stored(it) })) {
                val outcome = runCatching { RedisLine.understood(lines) { read(lines) } }
                val problem = outcome.exceptionOrNull() ?: continue
                withClue(reply) { (problem is LedgerFailure && problem.final) shouldBe true }
                problem.message shouldContain "unlike Redis"
            }
        }
    }
})

private object LedgerFailureOf {
    fun unlike(): Throwable =
        runCatching { RedisLine.understood(null) { throw NumberFormatException("made up") } }.exceptionOrNull()!!
}
