package io.signalbox.timers

import ch.qos.logback.classic.Level
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeStrictlyIncreasing
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.ints.shouldBeBetween
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.Signalbox
import io.signalbox.StoreUnavailableException
import io.signalbox.logging.logged
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.behaviour.Log
import io.signalbox.timers.behaviour.Note
import io.signalbox.timers.behaviour.Notes
import io.signalbox.timers.behaviour.freshNamespace
import io.signalbox.timers.behaviour.note
import io.signalbox.timers.behaviour.soon
import java.nio.file.Files
import kotlin.io.path.writeText
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** What a real server can do to timers that no other store can: refuse, run out of memory, hold what somebody else wrote. */
class RedisEdgesSpec :
    FunSpec({
        suspend fun onRedis(
            uri: String,
            test: suspend CoroutineScope.(Signalbox, String) -> Unit,
        ) = withContext(Dispatchers.Default) {
            val unused = freshNamespace()
            val signalbox = Signalbox.connect(uri) { namespace = unused }
            try {
                test(signalbox, unused)
            } finally {
                signalbox.closeAndJoin()
            }
        }

        fun service(
            signalbox: Signalbox,
            log: Log = Log(),
            configure: TimersSettings<Log>.() -> Unit = {},
        ) = Timers(signalbox, log) {
            takeoverAfter = 1.hours
            on(Notes, handler = { note(it) })
            configure()
        }

        fun keys(namespace: String) = RedisServer.shared().command("KEYS", "$namespace:*").lines().filter { it.isNotEmpty() }.toSet()

        test("a record that was made unreadable by hand is parked, and ends no worker") {
            onRedis(RedisServer.shared().uri) { signalbox, namespace ->
                val log = Log()
                val timers = service(signalbox, log)
                timers.scheduleRecurring(Notes, "zone", Note("x"), Recurrence.cron("0 12 * * *"), first = java.time.Instant.EPOCH)
                timers.schedule(Notes, "nonsense", Note("x"), after = Duration.ZERO)
                timers.schedule(Notes, "fine", Note("x"), after = Duration.ZERO)
                val payloads = "$namespace:timers2:{timers:0}:payloads:notes"
                RedisServer.shared().command("HSET", payloads, "zone", "rcron Mars/Olympus FIRE_ONCE 0 12 * * *\n{\"text\":\"x\"}")
                RedisServer.shared().command("HSET", payloads, "nonsense", "?")
                val run = launch { timers.run() }
                log.next().id shouldBe "fine"
                val parked = soon { timers.deadTimers().timers.also { it shouldHaveSize 2 } }
                parked.map { it.kind }.distinct() shouldBe listOf(DeadTimer.Kind.UNDECODABLE)
                run.isActive shouldBe true
                // Whoever sets it at the next start has it back.
                timers.scheduleRecurring(Notes, "zone", Note("x"), Recurrence.cron("0 12 * * *")) shouldBe true
                timers.get(Notes, "zone").shouldNotBeNull().state shouldBe Timer.State.WAITING
                run.cancelAndJoin()
            }
        }

        test("a record that was made unreadable by hand, and whose attempts are used up, is dead, and ends no worker") {
            onRedis(RedisServer.shared().uri) { signalbox, namespace ->
                val server = RedisServer.shared()
                val log = Log()
                val timers =
                    Timers(signalbox, log) {
                        takeoverAfter = 1.hours
                        on(Notes, { attempts = 1 }) { note(it) }
                    }
                timers.scheduleRecurring(Notes, "zone", Note("x"), Recurrence.cron("0 12 * * *"), first = java.time.Instant.EPOCH)
                timers.schedule(Notes, "nonsense", Note("x"), after = Duration.ZERO)
                timers.schedule(Notes, "fine", Note("x"), after = Duration.ZERO)
                val payloads = "$namespace:timers2:{timers:0}:payloads:notes"
                server.command("HSET", payloads, "zone", "rcron Mars/Olympus FIRE_ONCE 0 12 * * *\n{\"text\":\"x\"}")
                server.command("HSET", payloads, "nonsense", "?")
                // As by a worker that took both and has died since.
                for (id in listOf("zone", "nonsense")) {
                    val due = server.command("ZSCORE", "$namespace:timers2:{timers:0}:due:notes", id)
                    server.command("HSET", "$namespace:timers2:{timers:0}:marks:notes", id, "1 1 $due")
                }
                val run = launch { timers.run() }
                log.next().id shouldBe "fine"
                val dead = soon { timers.deadTimers().timers.also { it shouldHaveSize 2 } }
                dead.map { it.kind }.distinct() shouldBe listOf(DeadTimer.Kind.DEAD)
                dead.map { it.reason }.distinct() shouldBe listOf("Attempt 1 of 1: its worker died, or lost it")
                run.isActive shouldBe true
                timers.scheduleRecurring(Notes, "zone", Note("x"), Recurrence.cron("0 12 * * *")) shouldBe true
                run.cancelAndJoin()
            }
        }

        test("a semaphore that is refused for a while costs its topic a few commands and one warning, and then limits it again") {
            RedisServer.start().use { server ->
                server.command("ACL", "SETUSER", "limited", "on", "nopass", "~*", "+@all", "&*")
                onRedis(server.uri) { signalbox, unused ->
                    val limiting = Signalbox.connect("redis://limited:any@${server.host}:${server.port}") { namespace = unused }
                    val limit = limiting.semaphore("limit", 1)
                    val log = Log()
                    val timers =
                        Timers(signalbox, log) {
                            takeoverAfter = 1.hours
                            on(Notes, { semaphore = limit }) { note(it) }
                        }
                    server.command("ACL", "SETUSER", "limited", "-eval", "-evalsha")
                    val run = launch { timers.run() }
                    val lines =
                        logged(Level.WARN) {
                            timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
                            // What is counted is what happens in a span of time.
                            delay(2.seconds)
                        }
                    val refused =
                        Regex("cmdstat_eval(?:sha)?:.*rejected_calls=(\\d+)").findAll(server.command("INFO", "commandstats"))
                            .sumOf { it.groupValues[1].toInt() }
                    refused.shouldBeBetween(2, 30)
                    lines.count { it.startsWith("WARN Lane: No permit for topic 'notes' could be acquired") } shouldBe 1
                    log.nothingMore()
                    server.command("ACL", "SETUSER", "limited", "+eval", "+evalsha")
                    log.next().id shouldBe "a"
                    soon { limit.availablePermits() shouldBe 1 }
                    run.cancelAndJoin()
                    limiting.closeAndJoin()
                }
            }
        }

        test("another format is refused before anything is written, and the text names both") {
            onRedis(RedisServer.shared().uri) { signalbox, namespace ->
                val timers = service(signalbox)
                timers.schedule(Notes, "a", Note("x"), after = 1.hours)
                RedisServer.shared().command("HSET", "$namespace:timers2:{timers:0}:state", "format", "9")
                val before = keys(namespace)
                for (call in listOf<suspend () -> Any?>(
                    { timers.schedule(Notes, "b", Note("x"), after = Duration.ZERO) },
                    { timers.cancel(Notes, "a") },
                    { timers.get(Notes, "a") },
                    { timers.list(Notes) },
                    { timers.run() },
                )) {
                    shouldThrow<StoreUnavailableException> { call() }.message shouldContain
                        "stored in format 9, and this version of the library " +
                        "reads and writes format 2"
                }
                keys(namespace) shouldBe before
                RedisServer.shared().command("HSET", "$namespace:timers2:{timers}:meta", "format", "9")
                val other = Signalbox.connect(RedisServer.shared().uri) { this.namespace = namespace }
                shouldThrow<StoreUnavailableException> { service(other).count(Notes) }.message shouldContain "format 9"
                other.closeAndJoin()
            }
        }

        test("timers that were stored in this format are read as they were") {
            onRedis(RedisServer.shared().uri) { signalbox, namespace ->
                val fixture = RedisEdgesSpec::class.java.getResource("/timers-format-2.txt").shouldNotBeNull().readText()
                for (line in fixture.lines().filter { it.isNotBlank() && !it.startsWith("#") }) {
                    val words = line.split(' ').map {
                        it.replace("NS", namespace).replace("~", " ").replace("\\n", "\n").replace("\\t", "\t")
                    }
                    RedisServer.shared().command(*words.toTypedArray())
                }
                val log = Log()
                val timers = service(signalbox, log)
                timers.list(Notes).timers.map { it.id } shouldBe listOf("claimed", "overdue", "second", "first", "tick")
                timers.get(Notes, "second").shouldNotBeNull().run {
                    due shouldBe java.time.Instant.parse("2100-01-01T00:00:00Z")
                    metadata shouldBe mapOf("tenant" to "acme")
                    payload shouldBe Note("second")
                }
                timers.get(Notes, "tick").shouldNotBeNull().recurrence shouldBe Recurrence.fixedRate(1.hours).times(5)
                timers.listPaused(Notes).timers.single().id shouldBe "paused"
                timers.deadTimers().timers.single { it.kind != DeadTimer.Kind.UNKNOWN_TOPIC }.run { Triple(id, kind, reason) } shouldBe
                    Triple("dead", DeadTimer.Kind.DEAD, "broken twice")
                // Both are taken: the one that was never claimed, and the one whose claim is over.
                timers.handleReady().succeeded shouldBe 2
                List(2) { log.next() }.associate { it.id to it.attempt } shouldBe mapOf("claimed" to 3, "overdue" to 1)
                timers.requeue("notes", "dead") shouldBe true
                timers.resume(Notes, "paused") shouldBe true
            }
        }

        test("a server out of memory refuses new timers at once, and still cancels") {
            RedisServer.start { maxMemory("100mb") }.use { server ->
                onRedis(server.uri) { signalbox, _ ->
                    val timers = service(signalbox)
                    timers.scheduleAll(Notes, List(20) { NewTimer("$it", Note("x"), 1.hours) })
                    server.command("CONFIG", "SET", "maxmemory", "1")
                    val begun = TimeSource.Monotonic.markNow()
                    val calls = List(20) { id -> async { runCatching { timers.schedule(Notes, "new-$id", Note("x"), after = 1.hours) } } }
                    val cancels = List(20) { id -> async { timers.cancel(Notes, "$id") } }
                    cancels.forEach { it.await() shouldBe true }
                    for (call in calls) {
                        val refused = shouldThrow<StoreUnavailableException> { call.await().getOrThrow() }
                        refused.message.shouldNotBeNull() shouldContain "out of memory"
                        refused.message.shouldNotBeNull() shouldContain "these were not set"
                    }
                    begun.elapsedNow() shouldBeLessThan 3.seconds
                    timers.count(Notes) shouldBe 0
                    server.command("CONFIG", "SET", "maxmemory", "0")
                    timers.schedule(Notes, "again", Note("x"), after = 1.hours)
                    timers.count(Notes) shouldBe 1
                }
            }
        }

        test("a command that is refused for a while loses no occurrence, and moves no grid") {
            RedisServer.start().use { server ->
                server.command("ACL", "SETUSER", "app", "on", "nopass", "~*", "+@all", "&*")
                onRedis("redis://app:any@${server.host}:${server.port}") { signalbox, _ ->
                    val log = Log()
                    val timers = service(signalbox, log) { takeoverAfter = 2.seconds }
                    val run = launch { timers.run() }
                    timers.scheduleRecurring(Notes, "tick", Note("x"), Recurrence.fixedRate(100.milliseconds, Misfire.CATCH_UP))
                    val dues = mutableListOf(log.next().due, log.next().due)
                    server.command("ACL", "SETUSER", "app", "-hset")
                    soon { (server.command("ACL", "LOG").isNotEmpty()) shouldBe true }
                    server.command("ACL", "SETUSER", "app", "+hset")
                    repeat(20) { dues += log.next().due }
                    dues.distinct().shouldBeStrictlyIncreasing()
                    dues.distinct().zipWithNext { a, b -> b - a }.distinct() shouldBe listOf(100.milliseconds)
                    run.cancelAndJoin()
                }
            }
        }

        test("with a server that does not answer, a run without handlers ends within the store timeout, and closing ends every call") {
            RedisServer.start().use { server ->
                withContext(Dispatchers.Default) {
                    val signalbox = Signalbox.connect(server.uri) { storeTimeout = 2.seconds }
                    val timers = service(signalbox)
                    val run = launch { timers.run() }
                    timers.schedule(Notes, "a", Note("x"), after = 1.hours)
                    server.freeze()
                    val cancelled = TimeSource.Monotonic.markNow()
                    run.cancelAndJoin()
                    // And what a busy machine adds.
                    cancelled.elapsedNow() shouldBeLessThan 2.seconds + 2.seconds
                    val calls =
                        listOf<suspend () -> Any?>(
                            { timers.schedule(Notes, "b", Note("x"), after = 1.hours) },
                            {
                                timers.scheduleRecurring(
                                    Notes,
                                    "c",
                                    Note("x"),
                                    Recurrence.fixedRate(1.hours),
                                    first = java.time.Instant.EPOCH,
                                )
                            },
                            { timers.cancel(Notes, "a") },
                            { timers.pause(Notes, "a") },
                            { timers.requeue("notes", "a") },
                            { timers.discard("notes", "a") },
                        ).map { call -> async { runCatching { call() } } }
                    signalbox.closeAndJoin()
                    calls.forEach { it.await().isFailure shouldBe true }
                    server.thaw()
                }
            }
        }

        test("ids are paged by their bytes, whatever the language of the server") {
            // Under these rules "a" comes before "B", and "\u00e4" between them; where they cannot be made, or it knows none, the server has its own.
            val rules = Files.createTempDirectory("locale")
            runCatching {
                ProcessBuilder("localedef", "-i", "de_DE", "-f", "UTF-8", "$rules/de_DE.UTF-8").redirectErrorStream(true).start().run {
                    inputStream.readAllBytes()
                    waitFor()
                }
            }
            // A server that came with libraries of its own is started by a script, which is not what it says itself.
            val program =
                System.getenv("SIGNALBOX_REDIS_SERVER")?.ifBlank { null } ?: RedisServer.start().use { server ->
                    server.command("INFO", "server").lines().first { it.startsWith("executable:") }.substringAfter(':').trim()
                }
            val script = rules.resolve("server")
            script.writeText("#!/bin/sh\nLOCPATH=$rules LC_ALL=de_DE.UTF-8 exec $program \"$@\"\n")
            script.toFile().setExecutable(true)
            RedisServer.start { binary(script) }.use { server ->
                val isByLanguage = server.command("EVAL", "return 'a' < 'B' and 1 or 0", "0") == "1"
                println("paging on a server that compares ${if (isByLanguage) "by language" else "by bytes"}")
                onRedis(server.uri) { signalbox, _ ->
                    for (count in listOf(1, 4)) {
                        val timers = service(signalbox) {
                            name = "of-$count"
                            shards = count
                        }
                        val at = java.time.Instant.parse("9999-12-31T23:59:59.999Z")
                        val ids =
                            List(60) {
                                "${listOf("a", "A", "b", "B", "z", "Z", "\u00e4", "\u00c4", "\uD83D\uDE00", "\uFF21", "-", "_")[it % 12]}$it"
                            }
                        timers.scheduleAll(Notes, ids.map { NewTimer(it, Note("x"), at = at) })
                        val seen = mutableListOf<String>()
                        var cursor: String? = null
                        do {
                            val page = timers.list(Notes, limit = 7, after = cursor)
                            seen += page.timers.map { it.id }
                            cursor = page.next
                            // The last one of a page goes, so that the next page has to find its place by the id.
                            page.timers.lastOrNull()?.let { timers.cancel(Notes, it.id) }
                        } while (cursor != null)
                        seen.size shouldBe ids.size
                        seen.toSet() shouldBe ids.toSet()
                    }
                }
            }
            rules.toFile().deleteRecursively()
        }
    })
