package io.signalbox.pool

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.LeaseLostException
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.SemaphoreSettings
import io.signalbox.Signalbox
import io.signalbox.StoreUnavailableException
import io.signalbox.fault.contend
import io.signalbox.fault.onStage
import io.signalbox.testkit.RedisServer
import io.signalbox.withPermit
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.withTimeout

/** What a network and a server can do to a pool. */
class PoolFaultTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("a hint whose BLPOP is never answered comes back, and nobody holds it twice") {
        onStage {
            val holder = client().pool("lost", 1).acquire()
            val semaphore = client(proxied, lease = 5.seconds).pool("lost", 1)
            val lost = AtomicBoolean()
            proxy.onReply { connection, reply ->
                val isHint = "signalbox:pool:{lost}:" in reply && ":free" in reply && lost.compareAndSet(false, true)
                if (isHint) connection.cutClient()
                !isHint
            }
            val waiter = async { semaphore.acquire() }
            redis.awaitBlocked(1)
            holder.release()
            waiter.await().release() shouldBe true
            lost.get().shouldBeTrue()
            StoredPool(redis, "lost").awaitWhole(1)
        }
    }

    test("a claim, a release and a heartbeat whose answers are lost happen once") {
        onStage {
            val semaphore = client(proxied, lease = 6.seconds).pool("lost", 3)
            for (word in listOf("HSETNX", "LPOP", "RPUSH")) {
                val lost = AtomicBoolean()
                proxy.onRequest { connection, request ->
                    if (word in request &&
                        lost.compareAndSet(false, true)
                    ) {
                        connection.loseNextReply()
                    }
                }
                val permits = List(2) { async { semaphore.acquire() } }.awaitAll()
                permits.forEach { it.release() shouldBe true }
                lost.get().shouldBeTrue()
            }
            semaphore.contend(workers = 8, rounds = 5, permits = 3)
            // Hints that were popped into nowhere come back when somebody waits for them.
            semaphore.acquire(permits = 3).release() shouldBe true
            StoredPool(redis, "lost").awaitWhole(3)
        }
    }

    test("a holder that is cut off hears of its loss before anybody else gets the permit") {
        onStage {
            val here = client(proxied, lease = 1.seconds).pool("cut", 1)
            val there = client(lease = 8.seconds).pool("cut", 1)
            val held = CompletableDeferred<Permit>()
            val block = async {
                shouldThrow<LeaseLostException> {
                    here.withPermit {
                        held.complete(it)
                        awaitCancellation()
                    }
                }
            }
            val permit = held.await()
            proxy.stall()
            val next = there.acquire(timeout = 30.seconds)
            // Asked for by the holder's clock: true even if this process was paused and has cancelled nothing yet.
            permit.isLost shouldBe true
            block.await()
            proxy.resume()
            next.release() shouldBe true
            StoredPool(redis, "cut").awaitWhole(1)
        }
    }

    test("a claim that is late by more than the lease grants nothing") {
        onStage {
            val here = client(proxied, lease = 500.milliseconds).pool("late", 1)
            val there = client(lease = 8.seconds).pool("late", 1)
            val holds = AtomicBoolean(true)
            proxy.onRequest { connection, request -> if ("HSETNX" in request && holds.get()) connection.holdRequests() }
            val late = async(Dispatchers.Default) { here.tryAcquire(timeout = 20.seconds) }
            proxy.awaitHeldRequest("HSETNX")
            val first = there.acquire(timeout = 30.seconds)
            holds.set(false)
            proxy.connections.forEach { it.releaseRequests() }
            // Were the late claim to grant, it would be while the permit is held.
            first.isLost shouldBe false
            late.isCompleted shouldBe false
            first.release() shouldBe true
            late.await()?.release()
            // Requests that come late pop hints into nowhere: they come back when somebody waits for them.
            there.acquire(timeout = 30.seconds).release() shouldBe true
            StoredPool(redis, "late").awaitWhole(1)
        }
    }

    test("a contended pool costs one blocking connection for any number of waiters, and none after a while") {
        onStage {
            val before = redis.command("CLIENT", "LIST").lines().size
            val client = client()
            val pools = List(2) { client.pool("pool-$it", 2) }
            val holders = pools.map { it.acquire(permits = 2) }
            val waiting = pools.flatMap { pool -> List(50) { async { pool.withPermit { } } } }
            redis.awaitBlocked(2)
            redis.command("CLIENT", "LIST").lines().count { "cmd=blpop" in it } shouldBe 2
            // Two that block and the one that carries all transactions.
            eventually(30.seconds) { redis.command("CLIENT", "LIST").lines().size shouldBe before + 3 }
            holders.forEach { it.release() }
            waiting.awaitAll()
            redis.awaitBlocked(0)
        }
    }

    test("two that gather all permits of a pool never wait for each other") {
        onStage {
            val pools = List(3) { client().pool("both", 5) }
            val rounds = pools.flatMapIndexed { index, pool ->
                listOf(
                    async {
                        repeat(5) { pool.withPermit(permits = 5 - index) { } }
                    },
                    async { repeat(5) { pool.withPermit(permits = 3) { } } },
                )
            }
            rounds.awaitAll()
            StoredPool(redis, "both").awaitWhole(5)
        }
    }

    test("a gatherer that dies half-way leaves what it has gathered, and the gate") {
        onStage {
            val there = client(lease = 8.seconds).pool("gate", 3)
            val holder = there.acquire()
            val dying = client(proxied, lease = 1.seconds).pool("gate", 3)
            val gathering = async { dying.tryAcquire(permits = 3, timeout = 20.seconds) }
            eventually(30.seconds) { StoredPool(redis, "gate").owners.size shouldBe 3 }
            there.availablePermits() shouldBe 2
            proxy.refuseConnections()
            proxy.cut()
            holder.release() shouldBe true
            there.acquire(permits = 3, timeout = 30.seconds).release() shouldBe true
            gathering.cancelAndJoin()
        }
    }

    test("the loss of all data loses the permits, and the creator makes the pool anew") {
        onStage {
            val creator = client(lease = 4.seconds).pool("data", 2)
            val attached = client(lease = 4.seconds).attach("data") { algorithm = SemaphoreAlgorithm.Pool() }
            val permits = listOf(creator.acquire(), attached.acquire())
            val token = permits[1].fencingToken
            val waiting = async { attached.acquire() }
            redis.awaitBlocked(1)
            redis.command("FLUSHALL")
            eventually(30.seconds) { permits.all { it.isLost } shouldBe true }
            val next = waiting.await()
            (next.fencingToken > token) shouldBe true
            permits.forEach { it.release() shouldBe false }
            next.release() shouldBe true
            StoredPool(redis, "data").awaitWhole(2)
        }
    }

    for (kind in listOf("free", "turns", "owners", "fence", "state")) {
        test("'$kind' is deleted: the pool is whole again, and holders of forgotten permits hear of it") {
            onStage {
                val here = client(lease = 3.seconds).pool("broken", 3)
                val there = client(lease = 3.seconds).pool("broken", 3)
                val permit = here.acquire()
                // What tells of the holder follows its grant, and must not make a deleted entry anew.
                eventually(30.seconds) { here.snapshot().holders.size shouldBe 1 }
                redis.command("DEL", StoredPool(redis, "broken").key(kind))
                if (kind == "owners" || kind == "state") eventually(30.seconds) { permit.isLost shouldBe true }
                permit.release()
                there.acquire(permits = 3, timeout = 30.seconds).release() shouldBe true
                here.acquire(permits = 3, timeout = 30.seconds).release() shouldBe true
                StoredPool(redis, "broken").awaitWhole(3)
            }
        }
    }

    test("tokens grow when the server comes back with an older count") {
        onStage {
            val pools = List(2) { client(lease = 3.seconds).pool("older", 2) }
            val before = StoredPool(redis, "older").fence
            val tokens = List(4) { index -> pools[index % 2].acquire().also { it.release() }.fencingToken }
            redis.command("ZADD", StoredPool(redis, "older").key("fence"), "$before", "last")
            for (pool in pools) {
                val permit = pool.acquire()
                permit.fencingToken shouldBeGreaterThan tokens.max()
                permit.release() shouldBe true
            }
        }
    }

    for (kind in listOf("state", "turns", "owners", "free", "fence")) {
        test("a key of another type as '$kind': the error says so, and all is well when it is gone") {
            onStage {
                val semaphore = client(lease = 3.seconds).pool("typed", 2)
                val key = StoredPool(redis, "typed").key(kind)
                redis.command("SET", key, "something else")
                val error = shouldThrow<StoreUnavailableException> { semaphore.acquire(timeout = 30.seconds) }
                error.message shouldContain "WRONGTYPE"
                error.message shouldContain "namespace"
                redis.command("DEL", key)
                semaphore.acquire(permits = 2, timeout = 30.seconds).release() shouldBe true
                StoredPool(redis, "typed").awaitWhole(2)
            }
        }
    }

    test("a try finds the permits of the dead") {
        onStage {
            client(proxied, lease = 500.milliseconds).pool("dead", 2).acquire(permits = 2)
            val semaphore = client(lease = 2.seconds).pool("dead", 2)
            proxy.refuseConnections()
            proxy.cut()
            eventually(30.seconds) { semaphore.tryAcquire(permits = 2).shouldNotBeNull() }
        }
    }

    test("growing serves waiters of all clients at once") {
        onStage {
            // The heartbeat, 24 s after the last exchange or later, would be too late.
            val pools = List(2) { client(lease = 90.seconds).pool("grow", 1) }
            val holder = pools[0].acquire()
            val waiting = List(4) { index -> async { pools[index % 2].acquire() } }
            redis.awaitBlocked(2)
            withTimeout(20.seconds) {
                pools[1].resize(5)
                waiting.awaitAll().forEach { it.release() shouldBe true }
            }
            holder.release() shouldBe true
            StoredPool(redis, "grow").awaitWhole(5)
        }
    }

    test("connections that are cut again and again harm nobody") {
        onStage {
            val semaphore = client(proxied, lease = 9.seconds).pool("cuts", 3)
            val work = async { semaphore.contend(workers = 12, rounds = 100, permits = 3) }
            repeat(5) {
                redis.awaitGrants("cuts", 20L * (it + 1))
                proxy.cut()
            }
            work.await()
            semaphore.acquire(permits = 3, timeout = 30.seconds).release() shouldBe true
            StoredPool(redis, "cuts").awaitWhole(3)
        }
    }
})

internal suspend fun Signalbox.pool(
    name: String,
    permits: Int,
    configure: SemaphoreSettings.() -> Unit = {},
): Semaphore =
    semaphore(name, permits) {
        algorithm = SemaphoreAlgorithm.Pool()
        configure()
    }

/** Returns when [count] connections wait in a blocking command. */
internal suspend fun RedisServer.awaitBlocked(count: Int) =
    eventually(30.seconds) { command("CLIENT", "LIST").lines().count { "cmd=blpop" in it && "flags=b" in it } shouldBe count }

internal suspend fun RedisServer.awaitGrants(
    name: String,
    count: Long,
) = eventually(30.seconds) { (StoredPool(this, name).grants >= count) shouldBe true }
