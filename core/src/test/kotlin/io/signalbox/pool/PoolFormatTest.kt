package io.signalbox.pool

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.InitStrategy
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.UnknownFormatException
import io.signalbox.fault.onStage
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration.Companion.seconds

/** A holder at slot 0, whose client is gone, and two free slots. Kept as it is: a later format has to read it, or to refuse it. */
private const val FIXTURE = "/io/signalbox/pool/format-1.txt"

class PoolFormatTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    fun RedisServer.load() {
        val lines = PoolFormatTest::class.java.getResource(FIXTURE)!!.readText().lines().filter(String::isNotBlank)
        lines.forEach { command(*it.split(' ').toTypedArray()) }
    }

    test("a pool of format 1 is read and used") {
        onStage {
            redis.load()
            val pool = client(lease = 20.seconds) { storeTimeout = 60.seconds }.pool("fixture", 3)
            pool.permits() shouldBe 3
            val holder = pool.snapshot().holders.single()
            holder.label shouldBe "4711@somewhere"
            holder.fencingToken shouldBe 1790000000000002
            val permits = pool.acquire(permits = 2)
            permits.fencingToken shouldBeGreaterThan holder.fencingToken
            pool.tryAcquire() shouldBe null
            redis.command("DEL", StoredPool(redis, "fixture").key("lease:c29tZWJvaHNlY3JldHNlY3JldHNlYw.1"))
            pool.acquire(timeout = 60.seconds).release() shouldBe true
            permits.release() shouldBe true
            StoredPool(redis, "fixture").awaitWhole(3)
        }
    }

    for (strategy in InitStrategy.entries) {
        test("a pool of an unknown format is refused before anything is written, and both are named: $strategy") {
            onStage {
                redis.load()
                redis.command("HSET", StoredPool(redis, "fixture").key("state"), "format", "7")
                fun content() = redis.command("KEYS", "*").lines().sorted().map { it to redis.command("OBJECT", "ENCODING", it) } to
                    redis.command("HGETALL", StoredPool(redis, "fixture").key("state"))
                val before = content()
                for (request in listOf<suspend () -> Any>(
                    { client { storeTimeout = 60.seconds }.semaphore("fixture", 3) { algorithm = SemaphoreAlgorithm.Pool(strategy) } },
                    {
                        client { storeTimeout = 60.seconds }.attach("fixture", timeout = 20.seconds) {
                            algorithm =
                                SemaphoreAlgorithm.Pool(strategy)
                        }
                    },
                )) {
                    val error = shouldThrow<UnknownFormatException> { request() }
                    error.message shouldContain "format 7"
                    error.message shouldContain "format 1"
                }
                content() shouldBe before
            }
        }
    }
})
