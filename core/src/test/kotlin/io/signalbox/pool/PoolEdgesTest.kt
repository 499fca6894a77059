package io.signalbox.pool

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.InitStrategy
import io.signalbox.Permit
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.StoreUnavailableException
import io.signalbox.fault.onStage
import io.signalbox.withPermit
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.launch

private const val PASSWORD = "correct-horse-battery"

/** Where a pool's promises end, or might: outcomes refused or unknown, the dead, other people's code. */
class PoolEdgesTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    for (limit in listOf(50.milliseconds, 200.milliseconds)) {
        test("tries of $limit, one after the other, get a dead holder's permits when its lease ends, whatever the asker's") {
            onStage {
                client(proxied, lease = 3.seconds).pool("dead", 3).acquire(permits = 3)
                val asker = client(lease = 60.seconds).pool("dead", 3)
                asker.tryAcquire(timeout = limit).shouldBeNull()
                proxy.refuseConnections()
                proxy.cut()
                val mark = TimeSource.Monotonic.markNow()
                var permit: Permit? = null
                while (permit == null) permit = asker.tryAcquire(timeout = limit)
                // The lease, and what a busy machine makes of it. It was a minute and a half.
                mark.elapsedNow() shouldBeLessThan 12.seconds
                permit.release() shouldBe true
            }
        }
    }

    test("a single short try gets the permits of somebody who died long ago") {
        onStage {
            client(proxied, lease = 500.milliseconds).pool("long-dead", 2).acquire(permits = 2)
            proxy.refuseConnections()
            proxy.cut()
            eventually(30.seconds) { redis.command("KEYS", "*long-dead*lease*") shouldBe "" }
            client(lease = 60.seconds).pool("long-dead", 2).tryAcquire(timeout = 10.seconds).shouldNotBeNull()
        }
    }

    for (strategy in InitStrategy.entries) {
        test("tokens go on growing after a loss of data, whoever comes first afterwards: $strategy") {
            onStage {
                val pool = client(lease = 3.seconds).semaphore("fence", 1) { algorithm = SemaphoreAlgorithm.Pool(strategy) }
                val token = pool.withPermit { it.fencingToken }
                val other = client(lease = 3.seconds).semaphore("fence", 1) { algorithm = SemaphoreAlgorithm.Pool(strategy) }
                other.withPermit { it.fencingToken } shouldBeGreaterThan token
                redis.command("FLUSHALL")
                // Both were here before, and say what they say to a pool that is gone.
                val later = listOf(pool, other).map { async { it.withPermit { permit -> permit.fencingToken } } }.map { it.await() }
                later.min() shouldBeGreaterThan token + 1
                StoredPool(redis, "fence").awaitWhole(1)
            }
        }
    }

    test("a release that is refused is said until it is carried out") {
        onStage({ user("app", "on", ">$PASSWORD", "~signalbox:*", "+@all") }) {
            val pool = client(redis.uriFor("app", PASSWORD), lease = 30.seconds).pool("refused", 2)
            val permits = List(2) { pool.acquire() }
            redis.command("ACL", "SETUSER", "app", "-zadd")
            shouldThrow<StoreUnavailableException> { permits[0].release() }.message shouldContain "zadd"
            redis.command("ACL", "SETUSER", "app", "+zadd")
            // The lease of the client that lives would keep it for ever.
            client(lease = 30.seconds).pool("refused", 2).acquire(timeout = 20.seconds).release() shouldBe true
            permits[1].isLost shouldBe false
            permits[1].release() shouldBe true
            StoredPool(redis, "refused").awaitWhole(2)
        }
    }

    test("a claim that is refused holds up no release, and waiters that were told to wait are served when it is allowed again") {
        onStage({ user("app", "on", ">$PASSWORD", "~signalbox:*", "+@all") }) {
            val pool = client(redis.uriFor("app", PASSWORD), lease = 30.seconds).pool("held-up", 1)
            val holder = pool.acquire()
            val waiter = async { pool.acquire() }
            redis.awaitBlocked(1)
            redis.command("ACL", "SETUSER", "app", "-hsetnx")
            holder.release() shouldBe true
            shouldThrow<StoreUnavailableException> { pool.acquire(timeout = 20.seconds) }.message shouldContain "hsetnx"
            redis.command("ACL", "SETUSER", "app", "+hsetnx")
            waiter.await().release() shouldBe true
            StoredPool(redis, "held-up").awaitWhole(1)
        }
    }

    test("a server out of memory: acquires are told at once, leases live on, releases are carried out when there is memory") {
        onStage({ maxMemory("100mb") }) {
            val lease = 6.seconds
            val pool = client(lease = lease).pool("full", 2)
            val permit = pool.acquire()
            val kept = pool.acquire()
            redis.command("CONFIG", "SET", "maxmemory", "1")
            val key = redis.command("KEYS", "signalbox:pool:{full}:*:lease:*")

            fun leaseEnd() = redis.command("TIME").lines()[0].toLong() * 1000 + redis.command("PTTL", key).toLong()
            val first = leaseEnd()
            shouldThrow<StoreUnavailableException> { pool.acquire() }.message shouldContain "OOM"
            // Beyond the end of the first lease, each renewed more than a second after the one before.
            eventually(60.seconds) { leaseEnd() shouldBeGreaterThan first + lease.inWholeMilliseconds }
            kept.isLost shouldBe false
            val release = async { permit.release() }
            redis.command("CONFIG", "SET", "maxmemory", "0")
            runCatching { release.await() }.getOrElse { it.message shouldContain "OOM" }
            kept.release() shouldBe true
            pool.acquire(permits = 2, timeout = 20.seconds).release() shouldBe true
            StoredPool(redis, "full").awaitWhole(2)
        }
    }

    test("busy and down are not the same") {
        onStage {
            val pool = client(lease = 30.seconds).pool("down", 1)
            val permit = pool.acquire()
            pool.tryAcquire(timeout = 1.seconds).shouldBeNull()
            redis.kill()
            shouldThrow<StoreUnavailableException> { pool.tryAcquire(timeout = 2.seconds) }
            shouldThrow<StoreUnavailableException> { pool.acquire(timeout = 2.seconds) }
            permit.isLost shouldBe false
        }
    }

    test("a waiter whose dispatcher throws harms nobody else, and its permit goes to the next") {
        onStage {
            val pool = client().pool("dispatcher", 1)
            val holder = pool.acquire()
            val refusing = object : CoroutineDispatcher() {
                var refuses = false

                override fun dispatch(
                    context: CoroutineContext,
                    block: Runnable,
                ) {
                    if (refuses) throw OutOfMemoryError("unable to create native thread")
                    Dispatchers.Default.dispatch(context, block)
                }
            }
            val orphans = CoroutineScope(Job() + refusing + CoroutineExceptionHandler { _, _ -> })
            orphans.launch { pool.acquire() }
            redis.awaitBlocked(1)
            val next = async { pool.acquire() }
            eventually(30.seconds) { pool.snapshot().queueLength shouldBe 2 }
            refusing.refuses = true
            holder.release() shouldBe true
            next.await().release() shouldBe true
            StoredPool(redis, "dispatcher").awaitWhole(1)
        }
    }

    test("an action that throws an Error keeps nobody from hearing of a loss") {
        onStage {
            val pool = client(lease = 2.seconds).pool("errors", 2)
            val permits = List(2) { pool.acquire() }
            val heard = CompletableDeferred<Unit>()
            permits[0].onLost { throw NotImplementedError("an Error, and more than that") }
            permits[1].onLost { heard.complete(Unit) }
            redis.command("FLUSHALL")
            heard.await()
            pool.acquire(timeout = 20.seconds).release() shouldBe true
        }
    }

    test("a call that does not wait for a release before it sees it all the same") {
        onStage {
            val pool = client().pool("order", 1)
            repeat(50) {
                val permit = pool.tryAcquire().shouldNotBeNull()
                val release = async(Dispatchers.Unconfined) { permit.release() }
                if (it % 2 == 0) pool.availablePermits() shouldBe 1 else pool.tryAcquire().shouldNotBeNull().release() shouldBe true
                release.await() shouldBe true
            }
        }
    }

    test("a connection that is asked for by somebody who gives up does not stay") {
        onStage {
            val pool = client().pool("connections", 1)
            pool.acquire().release()
            val before = redis.command("CLIENT", "LIST").lines().size
            redis.freeze()
            val callers = List(20) { launch { pool.resize(1) } }
            callers.forEach { it.cancel() }
            callers.forEach { it.join() }
            redis.thaw()
            eventually(30.seconds) { redis.command("CLIENT", "LIST").lines().size shouldBe before }
        }
    }
})
