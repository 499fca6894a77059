package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.signalbox.ScriptNotPermittedException
import io.signalbox.SignalboxException
import io.signalbox.StoreUnavailableException
import io.signalbox.testkit.RedisSettings
import io.signalbox.withLock
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async

private const val PASSWORD = "correct-horse-battery"

/** All that the client and its scripts call for semaphores and mutexes. As listed in `docs/operations.md`, as are the others. */
private val COMMANDS =
    (
        "hello ping evalsha eval blpop lpop time hmget hget hgetall hset hdel pexpire del rpush " +
            "zadd zrem zcard zscore zrange zrangebyscore zrevrangebyscore zrangebylex"
        ).split(' ')

private val EVENTS = "zcount zpopmin zremrangebyrank persist".split(' ')
private val LIST_OF_NAMES = "pttl zremrangebyscore".split(' ')

class AccessTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    fun RedisSettings.user(
        commands: List<String>,
        vararg keys: String,
    ) = user("app", "on", ">$PASSWORD", *keys, "resetchannels", "-@all", *commands.map { "+$it" }.toTypedArray())

    fun Stage.app() = client(redis.uriFor("app", PASSWORD), lease = 10.seconds)

    test("a user with nothing but the commands and keys that are needed can do everything") {
        onStage({ user(COMMANDS, "~signalbox:*") }) {
            redis.command("SCRIPT", "FLUSH")
            val first = app().semaphore("acl", 2) { bounded = false }
            val second = app().semaphore("acl", 2) { bounded = false }
            val permits = listOf(first.acquire(), second.acquire())
            val waiter = async { first.acquire() }
            stored("acl").awaitQueued(1)
            val leaver = async { second.tryAcquire(timeout = 100.milliseconds) }
            leaver.await() shouldBe null
            // It leaves on its way out, and nobody waits for that.
            stored("acl").awaitQueued(1)
            first.snapshot().queueLength shouldBe 1
            permits.forEach { it.release() shouldBe true }
            waiter.await().release() shouldBe true
            first.addPermits(1) shouldBe 3
            second.resize(5)
            first.contend(workers = 10, rounds = 5, permits = 5)
            redis.command("DEL", *stored("acl").keys.values.toTypedArray())
            second.contend(workers = 10, rounds = 5, permits = 5)
        }
    }

    test("they suffice for a minimum hold") {
        onStage({ user(COMMANDS, "~signalbox:*") }) {
            val lock = app().mutex("acl").lock(minHold = 1.hours)
            lock.release() shouldBe true
            val other = app().mutex("acl")
            other.tryLock() shouldBe null
            other.owner().shouldNotBeNull().isKept shouldBe true
            other.revoke(lock.fencingToken) shouldBe true
            other.withLock(minHold = 50.milliseconds) { it.permits } shouldBe 1
            // Free when that is over.
            other.withLock { other.owner().shouldNotBeNull().isKept } shouldBe false
        }
    }

    test("with four commands more it can use events") {
        onStage({ user(COMMANDS + EVENTS, "~signalbox:*") }) {
            redis.command("SCRIPT", "FLUSH")
            val kept = app().event("kept")
            kept.set()
            app().event("kept").await()
            repeat(2) { kept.set() }
            kept.clear() shouldBe 2
            val brief = app().event("brief") { signalTtl = 1.milliseconds }
            brief.set()
            eventually(30.seconds) { brief.isSet() shouldBe false }
            app().mutex("acl").withLock { it.permits } shouldBe 1
        }
    }

    test("with two more it can ask for statistics; without them only that fails") {
        onStage({ user(COMMANDS + LIST_OF_NAMES, "~signalbox:*") }) {
            val client = app()
            client.semaphore("acl", 2).acquire()
            eventually(30.seconds) { client.statistics().map { it.heldPermits } shouldBe listOf(1) }
            redis.command("ACL", "SETUSER", "app", *LIST_OF_NAMES.map { "-$it" }.toTypedArray())
            shouldThrow<SignalboxException> { client.statistics() }
            client.semaphore("other", 1).acquire().release() shouldBe true
        }
    }

    test("a user without scripts is told so, and what to do") {
        onStage({ user(COMMANDS - listOf("eval", "evalsha"), "~signalbox:*") }) {
            val error = shouldThrow<ScriptNotPermittedException> { app().semaphore("acl", 1) }
            error.message shouldContain "scripts"
            error.message shouldContain "ACL"
        }
    }

    test("a server without scripts is as clear") {
        onStage({ config("rename-command", "EVALSHA", "") }) {
            shouldThrow<ScriptNotPermittedException> { client().semaphore("acl", 1) }
        }
    }

    test("a user whose keys are others is told so") {
        onStage({ user(COMMANDS, "~other:*") }) {
            shouldThrow<ScriptNotPermittedException> { app().semaphore("acl", 1) }.message shouldContain "NOPERM"
        }
    }

    for (missing in listOf("zadd", "hset", "hmget", "pexpire")) {
        test("a user without $missing, which a script needs, is told so, and nothing hangs") {
            onStage({ user(COMMANDS - missing, "~signalbox:*") }) {
                val error = shouldThrow<ScriptNotPermittedException> { app().semaphore("acl", 1).acquire().release() }
                error.message shouldContain "ACL"
            }
        }
    }

    test("a wrong password fails at once, and no text has it") {
        onStage({ password("the-right-one") }) {
            val error = shouldThrow<SignalboxException> { client(redis.uriFor("default", PASSWORD)).semaphore("acl", 1) }
            error.stackTraceToString() shouldContain "WRONGPASS"
            error.stackTraceToString() shouldNotContain PASSWORD
        }
    }

    test("no password where one is needed: the error says so") {
        onStage({ password("the-right-one") }) {
            val client = client("redis://${redis.host}:${redis.port}") { storeTimeout = 4.seconds }
            shouldThrow<StoreUnavailableException> { client.semaphore("acl", 1) }.message shouldContain "NOAUTH"
        }
    }
})
