package io.signalbox.ledger

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.UnknownFormatException
import io.signalbox.fault.Stage
import io.signalbox.fault.onStage
import kotlin.time.Duration.Companion.seconds

/**
 * Four permits: two held by count by 'one', one with a max hold by 'two'; 'three' waits for two, 'one' for another behind it. Kept as it is: a
 * later format has to read it, or to refuse it. Fields are separated by tabs.
 */
private const val FIXTURE = "/io/signalbox/ledger/format-2.txt"

/** What the semaphore's clock showed when the fixture was taken; ten minutes later its sessions end. */
private const val TAKEN_AT = 1_795_743_847_000
private const val LEASE_MILLIS = 620_000

class FormatTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    /** The semaphore's clock goes on from [showing]. */
    fun Stage.load(showing: Long = TAKEN_AT) {
        FormatTest::class.java.getResource(FIXTURE)!!.readText().lines().filter(String::isNotBlank).forEach { line ->
            redis.command(*line.split('\t').toTypedArray())
        }
        val now = redis.command("TIME").lines()[0].toLong() * 1000
        redis.command("HSET", stored("fixture").keys.getValue("state"), "offset", "${showing - now}")
    }

    test("a semaphore of format 2 is read, with everybody who holds and waits") {
        onStage {
            load()
            val semaphore = client { storeTimeout = 60.seconds }.semaphore("fixture", 4)
            val snapshot = semaphore.snapshot()
            snapshot.heldPermits shouldBe 3
            snapshot.grants shouldBe 3
            snapshot.holders.map { it.label to it.fencingToken } shouldContainExactlyInAnyOrder
                listOf("orders@one" to 1795743843750215, "orders@one" to 1795743845154183, "orders@two" to 1795743845227120)
            snapshot.queue.map { it.label to it.permits } shouldContainExactly listOf("orders@three" to 2, "orders@one" to 1)
            // The one that is free is for those who wait.
            semaphore.tryAcquire() shouldBe null
        }
    }

    test("a semaphore of format 2 whose clients are all gone is free a lease later, and tokens go on from there") {
        onStage {
            load(showing = TAKEN_AT + LEASE_MILLIS)
            val semaphore = client { storeTimeout = 60.seconds }.semaphore("fixture", 4)
            val permits = semaphore.acquire(permits = 4, timeout = 60.seconds)
            permits.fencingToken shouldBeGreaterThan 1795743845227120
            permits.release() shouldBe true
        }
    }

    test("a semaphore of an unknown format is refused before anything is written, and both are named") {
        onStage {
            load()
            val state = stored("fixture").keys.getValue("state")
            redis.command("HSET", state, "format", "7")
            fun content() =
                redis.command("KEYS", "*{fixture}*").lines().sorted() to redis.command("HGETALL", state).lines().chunked(2).toSet()
            val before = content()
            val client = client { storeTimeout = 60.seconds }
            for (request in listOf<suspend () -> Any?>(
                { client.semaphore("fixture", 4) },
                { client.attach("fixture", timeout = 20.seconds) },
            )) {
                val error = shouldThrow<UnknownFormatException> { request() }
                error.message shouldContain "format 7"
                error.message shouldContain "format 2"
            }
            content() shouldBe before
        }
    }

    test("a handle finds out that what it is of has another format by now, whatever it asks for") {
        onStage {
            val client = client(lease = 60.seconds)
            val semaphore = client.semaphore("later", 4)
            val mutex = client.mutex("later")
            val event = client.event("later")
            semaphore.acquire().release()
            mutex.lock().release()
            event.set()
            val states = redis.command("KEYS", "*{later}:*:state").lines()
            states shouldHaveSize 3
            // Whoever writes another format ends the short way, which does not look at the format.
            states.forEach { redis.command("HSET", it, "format", "7", "calm", "") }
            val before = states.map { redis.command("HGETALL", it) }
            val calls =
                listOf<Pair<String, suspend () -> Any?>>(
                    "acquire" to { semaphore.acquire() },
                    "tryAcquire" to { semaphore.tryAcquire() },
                    "permits" to { semaphore.permits() },
                    "resize" to { semaphore.resize(5) },
                    "snapshot" to { semaphore.snapshot() },
                    "delete" to { semaphore.delete() },
                    "lock" to { mutex.lock() },
                    "owner" to { mutex.owner() },
                    "delete a mutex" to { mutex.delete() },
                    "set" to { event.set() },
                    "await" to { event.await(10.seconds) },
                    "isSet" to { event.isSet() },
                    "clear" to { event.clear() },
                    "delete an event" to { event.delete() },
                )
            for ((name, call) in calls) {
                withClue(name) {
                    val error = shouldThrow<UnknownFormatException> { call() }
                    error.message shouldContain "format 7"
                    error.message shouldContain "format 2"
                }
            }
            states.map { redis.command("HGETALL", it) } shouldBe before
        }
    }
})
