package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.lettuce.core.ClientOptions
import io.lettuce.core.RedisClient
import io.lettuce.core.TimeoutOptions
import io.signalbox.AcquireTimeoutException
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.StoreUnavailableException
import io.signalbox.TooManyWaitersException
import io.signalbox.testkit.RedisServer
import java.time.Duration as JavaDuration
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout

/** A server that is away, or a network that carries nothing: what is told, and how soon it is over. */
class OutageTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    fun RedisServer.connections() = command("CLIENT", "LIST").lines().size

    suspend fun onLettuce(
        uri: String,
        options: ClientOptions.Builder.() -> Unit,
        scene: suspend (RedisClient) -> Unit,
    ) {
        val lettuce = RedisClient.create(uri)
        lettuce.options = ClientOptions.builder().apply(options).build()
        try {
            scene(lettuce)
        } finally {
            withContext(Dispatchers.IO) { lettuce.shutdown(JavaDuration.ZERO, JavaDuration.ofSeconds(2)) }
        }
    }

    val outages: List<Triple<String, Duration, suspend Stage.() -> Unit>> =
        listOf(
            Triple("killed", 50.milliseconds) { redis.kill() },
            Triple("killed", 1.seconds) { redis.kill() },
            // Connections stay, so only silence tells.
            Triple("frozen", 1.seconds) { redis.freeze() },
        )
    for ((state, limit, happen) in outages) {
        test("busy and down are not the same: a limit of $limit tells an outage as one, the server being $state") {
            onStage {
                val client = client(lease = 60.seconds)
                val semaphore = client.semaphore("down", 2)
                val mutex = client.mutex("down")
                val event = client.event("down")
                val pool = client.semaphore("down-pool", 1) { algorithm = SemaphoreAlgorithm.Pool() }
                val held = semaphore.acquire(permits = 2)
                semaphore.tryAcquire(timeout = limit).shouldBeNull()
                shouldThrow<AcquireTimeoutException> { semaphore.acquire(timeout = limit) }
                event.tryAwait(limit) shouldBe false
                happen()
                for (call in listOf<suspend () -> Any?>(
                    { semaphore.tryAcquire(timeout = limit) },
                    { semaphore.acquire(timeout = limit) },
                    { mutex.tryLock(timeout = limit) },
                    { mutex.lock(timeout = limit) },
                    { event.tryAwait(limit) },
                    { event.await(limit) },
                    { pool.tryAcquire(timeout = limit) },
                    { pool.acquire(timeout = limit) },
                )) {
                    shouldThrow<StoreUnavailableException> { call() }
                }
                held.isLost shouldBe false
                if (state == "frozen") redis.thaw()
            }
        }
    }

    test("who was told to wait before an outage is told that others hold") {
        onStage {
            val semaphore = client(lease = 60.seconds).semaphore("busy", 1)
            semaphore.acquire()
            val waiter = async { semaphore.tryAcquire(timeout = 2.seconds) }
            stored("busy").awaitQueued(1)
            redis.kill()
            waiter.await().shouldBeNull()
        }
    }

    test(
        "maxWaiters bounds what is pending in an outage: one more is refused at once, and those before are served when the server is back",
    ) {
        onStage {
            val semaphore = client(lease = 60.seconds) { maxWaiters = 3 }.semaphore("bounded", 5)
            val pool = client(lease = 60.seconds) { maxWaiters = 3 }.semaphore("bounded-pool", 5) { algorithm = SemaphoreAlgorithm.Pool() }
            listOf(semaphore, pool).forEach { it.acquire().release() }
            redis.freeze()
            val pending =
                listOf(semaphore, pool).flatMap { each ->
                    List(3) { async(start = CoroutineStart.UNDISPATCHED) { each.acquire() } }.also {
                        shouldThrow<TooManyWaitersException> { each.acquire() }
                        shouldThrow<TooManyWaitersException> { each.tryAcquire() }
                    }
                }
            redis.thaw()
            pending.awaitAll().forEach { it.release() shouldBe true }
            semaphore.acquire().release() shouldBe true
        }
    }

    test("a handshake that is swallowed holds up nobody for longer than anything else") {
        onStage {
            val client = client(proxied, lease = 12.seconds)
            val semaphore = client.semaphore("swallowed", 1)
            val pool = client.semaphore("swallowed-pool", 1) { algorithm = SemaphoreAlgorithm.Pool() }
            listOf(semaphore, pool).forEach { it.acquire().release() }
            // Whatever connects now says hello to nobody.
            proxy.cut()
            proxy.stall()
            listOf(semaphore, pool).map { async { runCatching { it.tryAcquire(timeout = 500.milliseconds) } } }.awaitAll()
            proxy.awaitHeldRequest("HELLO")
            // One for commands, one for pools.
            eventually(20.seconds) { (proxy.connections.count { it.isOpen } >= 2) shouldBe true }
            val waiting = proxy.connections.filter { it.isOpen }
            proxy.resume()
            waiting.forEach { it.stall() }
            val mark = TimeSource.Monotonic.markNow()
            eventually(40.seconds) { semaphore.acquire().release() shouldBe true }
            eventually(40.seconds) { pool.acquire().release() shouldBe true }
            // It was the driver's minute.
            mark.elapsedNow() shouldBeLessThan 30.seconds
        }
    }

    for (borrowed in listOf(false, true)) {
        test(
            "calls that are given up while a connection opens leave none behind, the driver being ${if (borrowed) "borrowed" else "our own"}",
        ) {
            onStage {
                val lettuce = if (borrowed) RedisClient.create(redis.uri) else null
                val before = redis.connections()
                redis.freeze()
                val client =
                    if (lettuce != null) {
                        Signalbox(lettuce) { storeTimeout = 100.milliseconds }
                    } else {
                        client { storeTimeout = 100.milliseconds }
                    }
                repeat(10) { number ->
                    shouldThrow<StoreUnavailableException> { client.semaphore("given-up-$number", 1) }
                    shouldThrow<StoreUnavailableException> {
                        client.semaphore("given-up-$number", 1) { algorithm = SemaphoreAlgorithm.Pool() }
                    }
                }
                redis.thaw()
                // One for commands, one for pools.
                eventually(30.seconds) { (redis.connections() - before <= 2) shouldBe true }
                client.close()
                eventually(30.seconds) { redis.connections() shouldBe before }
                if (lettuce != null) withContext(Dispatchers.IO) { lettuce.shutdown(JavaDuration.ZERO, JavaDuration.ofSeconds(2)) }
            }
        }
    }

    test("closing while the first connections open leaves none behind") {
        onStage {
            val lettuce = RedisClient.create(proxied)
            val before = redis.connections()
            repeat(20) {
                val client = Signalbox(lettuce) { storeTimeout = 2.seconds }
                val call = async(Dispatchers.Default) { runCatching { client.semaphore("closing", 1).acquire() } }
                client.close()
                call.await()
            }
            eventually(30.seconds) { redis.connections() shouldBe before }
            withContext(Dispatchers.IO) { lettuce.shutdown(JavaDuration.ZERO, JavaDuration.ofSeconds(2)) }
        }
    }

    val drivers: Map<String, ClientOptions.Builder.() -> Unit> =
        mapOf(
            "that gives up on commands after 300 ms" to { timeoutOptions(TimeoutOptions.enabled(JavaDuration.ofMillis(300))) },
            "that does not reconnect" to { autoReconnect(false) },
            "with a time limit of its URI" to { },
        )
    for ((kind, options) in drivers) {
        test("a borrowed driver $kind: a connection that goes silent, or is killed, is replaced") {
            onStage {
                onLettuce(if (kind.endsWith("URI")) "$proxied?timeout=1s" else proxied, options) { lettuce ->
                    val client = Signalbox(lettuce) { lease = 9.seconds }
                    val semaphore = client.semaphore("silent", 1)
                    val pool = client.semaphore("silent-pool", 1) { algorithm = SemaphoreAlgorithm.Pool() }
                    val permits = listOf(semaphore.acquire(), pool.acquire())
                    val waiters = listOf(async { semaphore.acquire() }, async { pool.acquire() })
                    stored("silent").awaitQueued(1)

                    proxy.connections.filter { it.isOpen }.forEach { it.stall() }
                    withTimeout(40.seconds) { permits.forEach { it.release() } }
                    withTimeout(40.seconds) { waiters.forEach { it.await().release() } }

                    redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                    withClue("killed") {
                        withTimeout(40.seconds) {
                            eventually(30.seconds) { semaphore.acquire(timeout = 5.seconds).release() shouldBe true }
                        }
                        withTimeout(40.seconds) { eventually(30.seconds) { pool.acquire(timeout = 5.seconds).release() shouldBe true } }
                    }
                    client.closeAndJoin()
                }
            }
        }
    }

    test("a connection that goes silent is replaced soon, however long the lease") {
        onStage {
            val semaphore = client(proxied, lease = 20.minutes) { storeTimeout = 60.seconds }.semaphore("silent", 1)
            val permit = semaphore.acquire()
            proxy.connections.filter { it.isOpen }.forEach { it.stall() }
            // A sixth of the lease would be more than three minutes.
            withTimeout(40.seconds) { permit.release() } shouldBe true
        }
    }
})
