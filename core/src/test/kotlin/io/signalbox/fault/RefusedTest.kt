package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.InitStrategy
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.SignalboxException
import io.signalbox.StoreUnavailableException
import io.signalbox.pool.StoredPool
import io.signalbox.pool.awaitBlocked
import io.signalbox.testkit.RedisServer
import io.signalbox.withLock
import io.signalbox.withPermit
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.withTimeout

private const val PASSWORD = "correct-horse-battery"

/** A server that says no: to everything, to a command inside a script, for a moment, or for good. */
class RefusedTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    fun Stage.may(vararg rules: String) = redis.command("ACL", "SETUSER", "app", *rules)

    fun Stage.app(
        uri: String = redis.uri,
        lease: Duration = 10.seconds,
    ): Signalbox = client(uri.replace("redis://", "redis://app:$PASSWORD@"), lease)

    suspend fun refusing(scene: suspend Stage.() -> Unit) =
        onStage({ user("app", "on", ">$PASSWORD", "~*", "&*", "+@all") }) { scene() }

    test("a release that meets a refusal is said until it is executed, and a block keeps its result") {
        refusing {
            val semaphore = app(lease = 60.seconds).semaphore("refused", 3)
            val (explicit, kept) = List(2) { semaphore.acquire() }
            val waiters =
                async { semaphore.acquire(permits = 3).release() }.also { stored("refused").awaitQueued(1) }
            semaphore.name shouldBe "refused"
            may("-eval", "-evalsha")
            val release = async { explicit.release() }
            val error = shouldThrow<SignalboxException> { semaphore.acquire() }
            error.message shouldContain "ACL"
            may("+eval", "+evalsha")
            release.await() shouldBe true
            stored("refused").awaitHeld(1)
            kept.release() shouldBe true
            // Another client of the same server is not blocked by the one that lives.
            waiters.await() shouldBe true
            client().semaphore("refused", 3).acquire(permits = 3).release() shouldBe true

            val result =
                semaphore.withPermit {
                    may("-eval", "-evalsha")
                    42
                }
            result shouldBe 42
            may("+eval", "+evalsha")
            stored("refused").awaitNothing()
        }
    }

    test("an exchange that was executed is not forgotten because its repetition is refused") {
        refusing {
            val semaphore = app(proxied, lease = 60.seconds).semaphore("unknown", 3)
            val kept = semaphore.acquire()
            val executed = AtomicBoolean()
            proxy.onReply { connection, reply ->
                // The answer to the acquire, with the session's second number; other replies may come in the same piece.
                val isIt = "*1\r\n" in reply && executed.compareAndSet(false, true)
                if (isIt) {
                    may("-eval", "-evalsha")
                    connection.cutClient()
                }
                !isIt
            }
            shouldThrow<SignalboxException> { semaphore.acquire() }
            stored("unknown").held shouldBe 2
            may("+eval", "+evalsha")
            kept.release() shouldBe true
            stored("unknown").awaitNothing()
            semaphore.acquire(permits = 3).release() shouldBe true
        }
    }

    test("a command that is refused inside of scripts, while calls are on their way, leaves no call without an end") {
        refusing {
            val clients = List(2) { app(lease = 20.seconds) }
            val semaphores = clients.map { it.semaphore("inside", 2) }
            val mutexes = clients.map { it.mutex("inside") }
            val events = clients.map { it.event("inside") }
            val pools = clients.map { it.semaphore("pooled", 2) { algorithm = SemaphoreAlgorithm.Pool() } }
            repeat(2) { round ->
                val calls =
                    List(8) { worker ->
                        async(Dispatchers.Default) {
                            repeat(20) {
                                val at = worker % 2
                                runCatching { semaphores[at].withPermit { } }
                                runCatching { semaphores[at].tryAcquire()?.release() }
                                runCatching { mutexes[at].withLock { } }
                                runCatching { pools[at].withPermit { } }
                                runCatching {
                                    events[at].set()
                                    events[at].tryAwait(100.milliseconds)
                                }
                            }
                        }
                    }
                may(if (round == 0) "-rpush" else "-zadd")
                eventually(30.seconds) { (redis.command("ACL", "LOG").isNotEmpty() || calls.all { it.isCompleted }) shouldBe true }
                may("+rpush", "+zadd")
                withTimeout(60.seconds) { calls.awaitAll() }
            }
            withTimeout(30.seconds) { semaphores.forEach { it.acquire(permits = 2).release() shouldBe true } }
            stored("inside").awaitNothing()
            clients.forEach { it.closeAndJoin() }
        }
    }

    test("a password that is rotated: calls that begin fail at once, what is queued and held is kept, and it is said once") {
        refusing {
            val warnings =
                warningsDuring {
                    val semaphore = app(lease = 30.seconds).semaphore("rotated", 1)
                    val held = semaphore.acquire()
                    val waiter = async { semaphore.acquire() }
                    stored("rotated").awaitQueued(1)
                    may("resetpass", ">another")
                    redis.command("CLIENT", "KILL", "USER", "app")
                    eventually(20.seconds) {
                        val passed = measureTime {
                            shouldThrow<StoreUnavailableException> { semaphore.tryAcquire() }.message shouldContain
                                "WRONGPASS"
                        }
                        passed shouldBeLessThan 3.seconds
                    }
                    held.isLost shouldBe false
                    waiter.isActive shouldBe true
                    may("resetpass", ">$PASSWORD")
                    held.release() shouldBe true
                    waiter.await().release() shouldBe true
                }
            warnings.filter { "WRONGPASS" in it } shouldHaveSize 1
        }
    }

    for (word in listOf("WRONGPASS", "NOAUTH")) {
        val change = if (word == "NOAUTH") "asked for all at once" else "rotated"
        test("a password that is $change: calls of every kind, pools' too, say so soon") {
            refusing {
                val uri = if (word == "NOAUTH") redis.uri else redis.uri.replace("redis://", "redis://app:$PASSWORD@")
                val client = client(uri, lease = 60.seconds) { storeTimeout = 30.seconds }
                val semaphore = client.semaphore("kinds", 2)
                val (pool, free) = listOf("pool", "free").map { client.semaphore(it, 1) { algorithm = SemaphoreAlgorithm.Pool() } }
                val held = listOf(semaphore.acquire(), pool.acquire())
                if (word == "NOAUTH") redis.command("CONFIG", "SET", "requirepass", PASSWORD) else may("resetpass", ">another")
                redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                val calls = mapOf<String, suspend () -> Any?>(
                    "semaphore" to { client.semaphore("new", 1) },
                    "mutex" to { client.mutex("new") },
                    "event" to { client.event("new") },
                    "attach" to { client.attach("new") },
                    "new pool" to { client.semaphore("new pool", 1) { algorithm = SemaphoreAlgorithm.Pool() } },
                    "acquire" to { semaphore.acquire() },
                    "permits" to { semaphore.permits() },
                    "snapshot" to { semaphore.snapshot() },
                    "statistics" to { client.statistics() },
                    "ping" to { client.ping() },
                    "pool acquire" to { free.acquire() },
                    "pool tryAcquire" to { free.tryAcquire() },
                    "pool permits" to { free.permits() },
                    "pool snapshot" to { free.snapshot() },
                    "pool resize" to { free.resize(2) },
                )
                for ((name, call) in calls) {
                    withClue(name) {
                        val passed = measureTime { shouldThrow<StoreUnavailableException> { call() }.message shouldContain word }
                        passed shouldBeLessThan 8.seconds
                    }
                }
                held.forEach { it.isLost shouldBe false }
                if (word == "NOAUTH") redis.command("CONFIG", "SET", "requirepass", "") else may("resetpass", ">$PASSWORD")
                // A pool that has no connection yet still tells of the last refusal.
                eventually(30.seconds) { free.acquire().release() shouldBe true }
                held.forEach { withTimeout(30.seconds) { it.release() } shouldBe true }
            }
        }
    }

    test("a call that begins fails at once if there is no such database") {
        refusing {
            val passed =
                measureTime {
                    shouldThrow<StoreUnavailableException> { client("${redis.uri}/99").semaphore("db", 1) }.message shouldContain
                        "database"
                }
            passed shouldBeLessThan 5.seconds
        }
    }

    test("a node of a cluster that has none of the keys says so at once") {
        onStage({ config("cluster-enabled", "yes") }) {
            RedisServer.start { config("cluster-enabled", "yes") }.use { other ->
                redis.command("CLUSTER", "ADDSLOTS", *(0..8191).map { "$it" }.toTypedArray())
                other.command("CLUSTER", "ADDSLOTS", *(8192..16383).map { "$it" }.toTypedArray())
                redis.command("CLUSTER", "MEET", other.host, "${other.port}")
                eventually(30.seconds) { redis.command("CLUSTER", "INFO") shouldContain "cluster_state:ok" }
                val passed =
                    measureTime {
                        val errors = List(10) { runCatching { client().semaphore("name-$it", 1) }.exceptionOrNull() }
                        errors.filterIsInstance<StoreUnavailableException>().first().message shouldContain "cluster"
                    }
                passed shouldBeLessThan 8.seconds
            }
        }
    }

    test("a server that is away is said so in the log, long before the call gives up") {
        onStage {
            redis.stop()
            val warnings =
                warningsDuring {
                    shouldThrow<StoreUnavailableException> { client { storeTimeout = 500.milliseconds }.semaphore("away", 1) }
                }
            warnings.filter { "storeTimeout" in it } shouldHaveSize 1
        }
    }

    for ((name, refuse) in mapOf<String, Stage.() -> Unit>(
        "too few replicas" to { redis.command("CONFIG", "SET", "min-replicas-to-write", "1") },
        "a replica of nobody" to { redis.command("REPLICAOF", "127.0.0.1", "1") },
    )) {
        test("$name: calls that begin are told at once, what is held, queued and released goes on when it is over") {
            onStage {
                val client = client(lease = 60.seconds) { storeTimeout = 30.seconds }
                val semaphore = client.semaphore("writes", 1)
                val event = client.event("writes")
                val held = semaphore.acquire()
                val waiter = async { semaphore.acquire() }
                stored("writes").awaitQueued(1)
                val (pool, free) = listOf("pool", "free").map { client.semaphore(it, 1) { algorithm = SemaphoreAlgorithm.Pool() } }
                val slot = pool.acquire()
                val slotWaiter = async { pool.acquire() }
                // Told to wait: one waits for the inbox, one for a slot.
                redis.awaitBlocked(2)
                // Many have something to say that is refused, again and again: none of them may keep another from hearing it.
                val others = List(30) { client.semaphore("other-$it", 1).acquire() }
                refuse()
                val returned = others.map { async { it.release() } }
                val leaving = async { runCatching { semaphore.tryAcquire(timeout = 500.milliseconds) } }
                for (call in listOf<suspend () -> Any?>(
                    { semaphore.tryAcquire() },
                    { semaphore.acquire() },
                    { semaphore.permits() },
                    { event.set() },
                    { event.isSet() },
                    { client.semaphore("new", 1) },
                    { client.mutex("new") },
                    { free.tryAcquire() },
                    { free.acquire() },
                    { free.resize(2) },
                    // It is said again until it is carried out, but whoever waits for it is told.
                    { slot.release() },
                ) + InitStrategy.entries.map { suspend { client.semaphore("new", 1) { algorithm = SemaphoreAlgorithm.Pool(it) } } }) {
                    val passed =
                        measureTime {
                            val text = shouldThrow<StoreUnavailableException> { call() }.message
                            text shouldContain "no writes"
                            text shouldContain if (name == "too few replicas") "min-replicas-to-write" else "primary"
                        }
                    withClue(name) { passed shouldBeLessThan 10.seconds }
                }
                leaving.await()
                val release = async { held.release() }
                redis.command("CONFIG", "SET", "min-replicas-to-write", "0")
                redis.command("REPLICAOF", "NO", "ONE")
                release.await() shouldBe true
                returned.awaitAll().all { it } shouldBe true
                waiter.await().release() shouldBe true
                slotWaiter.await().release() shouldBe true
                free.acquire().release() shouldBe true
                StoredPool(redis, "pool").awaitWhole(1)
                event.set()
                event.await()
                stored("writes").awaitNothing()
            }
        }
    }

    test("at the memory limit signals are set and awaited, and places are given up") {
        onStage({ maxMemory("100mb") }) {
            val client = client(lease = 60.seconds)
            val semaphore = client.semaphore("full", 1)
            val event = client.event("full")
            val held = semaphore.acquire()
            val first = async { client().semaphore("full", 1).acquire().release() }
            stored("full").awaitQueued(1)
            redis.command("CONFIG", "SET", "maxmemory", "1")
            semaphore.tryAcquire(timeout = 300.milliseconds) shouldBe null
            // Whatever an exchange does is done there.
            event.set()
            event.isSet() shouldBe true
            event.await()
            held.release() shouldBe true
            first.await() shouldBe true
            stored("full").awaitNothing()
        }
    }
})
