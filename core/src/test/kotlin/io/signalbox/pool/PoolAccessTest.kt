package io.signalbox.pool

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.InitStrategy
import io.signalbox.ScriptNotPermittedException
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.StoreUnavailableException
import io.signalbox.fault.Stage
import io.signalbox.fault.contend
import io.signalbox.fault.onStage
import io.signalbox.testkit.RedisSettings
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async

private const val PASSWORD = "correct-horse-battery"

/** All that a pool calls: not one script. As listed in `docs/operations.md`. */
private val COMMANDS =
    (
        "hello ping multi exec watch time hmget hget hset hsetnx hdel hlen hgetall hincrby " +
            "zadd zincrby zcard zmscore zrange zremrangebyscore lpop lpush rpush lrange blpop set get mget del pexpire pttl"
        ).split(' ')

class PoolAccessTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    fun RedisSettings.user(commands: List<String>) =
        user("app", "on", ">$PASSWORD", "~signalbox:*", "resetchannels", "-@all", *commands.map { "+$it" }.toTypedArray())

    fun Stage.app() = client(redis.uriFor("app", PASSWORD), lease = 6.seconds)

    for (strategy in listOf(InitStrategy.OPTIMISTIC_LOCKING, InitStrategy.SETNX)) {
        test("a user without scripting rights can do everything with a pool created by $strategy") {
            onStage({ user(COMMANDS) }) {
                val first = app().semaphore("acl", 2) {
                    algorithm = SemaphoreAlgorithm.Pool(strategy)
                    bounded = false
                    maxHold = 60.seconds
                }
                val second = app().attach("acl") { algorithm = SemaphoreAlgorithm.Pool() }
                val permits = listOf(first.acquire(), second.acquire())
                permits[0].extend(30.seconds) shouldBe true
                val waiter = async { first.acquire() }
                second.tryAcquire() shouldBe null
                second.tryAcquire(timeout = 100.milliseconds) shouldBe null
                first.snapshot().holders.size shouldBe 2
                permits.forEach { it.release() shouldBe true }
                waiter.await().release() shouldBe true
                first.addPermits(3) shouldBe 5
                second.acquire(permits = 5).release() shouldBe true
                second.resize(3)
                first.contend(workers = 10, rounds = 5, permits = 3)
                // Slots without owner or hint: the reaper's work.
                redis.command("DEL", StoredPool(redis, "acl").key("free"))
                second.acquire(timeout = 30.seconds).release() shouldBe true
            }
        }
    }

    test("a user without scripting rights who creates by a script is told which strategies need none") {
        onStage({ user(COMMANDS) }) {
            val error = shouldThrow<ScriptNotPermittedException> {
                app().semaphore("acl", 1) { algorithm = SemaphoreAlgorithm.Pool(InitStrategy.LUA) }
            }
            error.message shouldContain "OPTIMISTIC_LOCKING"
            error.message shouldContain "SETNX"
        }
    }

    test("joining needs no script, whatever the strategy") {
        onStage({ user(COMMANDS) }) {
            client().semaphore("acl", 1) { algorithm = SemaphoreAlgorithm.Pool(InitStrategy.LUA) }
            app().semaphore("acl", 1) { algorithm = SemaphoreAlgorithm.Pool(InitStrategy.LUA) }.tryAcquire().shouldNotBeNull()
        }
    }

    test("statistics of pools need nothing more, and no script") {
        onStage({ user(COMMANDS) }) {
            val client = app()
            client.semaphore("acl", 2) { algorithm = SemaphoreAlgorithm.Pool(InitStrategy.SETNX) }.acquire()
            eventually(30.seconds) { client.statistics().map { it.heldPermits } shouldBe listOf(1) }
        }
    }

    for (missing in listOf("multi", "zmscore", "lpop", "hsetnx")) {
        test("a user without $missing is told so, and nothing hangs") {
            onStage({ user(COMMANDS - missing) }) {
                val error = shouldThrow<StoreUnavailableException> {
                    app().semaphore("acl", 1) { algorithm = SemaphoreAlgorithm.Pool(InitStrategy.SETNX) }.acquire().release()
                }
                error.message shouldContain missing
                error.message shouldContain "ACL"
            }
        }
    }
})
