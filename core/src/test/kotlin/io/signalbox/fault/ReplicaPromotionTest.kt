package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.redis.Scripts
import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async

/** A failover to a replica that had not yet heard of the latest grants. */
class ReplicaPromotionTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    /** Has the clients of the proxy find [replica] where the master was. */
    fun Stage.failOverTo(replica: RedisProcess) {
        proxy.refuseConnections()
        proxy.cut()
        redis.kill()
        proxy.redirect(replica.host, replica.port)
        proxy.refuseConnections(false)
    }

    fun RedisServer.load(scripts: Scripts) =
        listOf(scripts.open, scripts.exchange, scripts.snapshot).forEach { command("SCRIPT", "LOAD", String(it.body)) }

    test("grants that the replica has not heard of are put back under their tokens, and waiters queue again") {
        onStage {
            val holding = client(proxied, lease = 10.seconds).semaphore("stale", 2)
            RedisServer.start { replicaOf(redis) }.use { replica ->
                eventually(30.seconds) { replica.command("HGET", stored("stale").keys.getValue("state"), "permits") shouldBe "2" }
                replica.promote()
                val permits = listOf(holding.acquire(), holding.acquire())
                val waiter = async { holding.acquire() }
                stored("stale").awaitQueued(1)

                failOverTo(replica)

                val promoted = StoredSemaphore(replica, "stale")
                promoted.awaitHeld(2)
                eventually(30.seconds) { promoted.tokens shouldBe permits.map { it.fencingToken }.toSet() }
                promoted.awaitQueued(1)
                permits.forEach { it.isLost shouldBe false }
                permits.forEach { it.release() shouldBe true }
                val next = waiter.await()
                next.fencingToken shouldBeGreaterThan permits.maxOf { it.fencingToken }
                next.release() shouldBe true
                promoted.awaitNothing()
            }
        }
    }

    test("releases that the replica has not heard of leave nothing held for longer than a lease") {
        onStage {
            val semaphore = client(proxied, lease = 5.seconds).semaphore("stale", 1)
            val permit = semaphore.acquire()
            RedisServer.start { replicaOf(redis) }.use { replica ->
                eventually(30.seconds) { StoredSemaphore(replica, "stale").held shouldBe 1 }
                replica.promote()
                permit.release() shouldBe true

                failOverTo(replica)

                semaphore.acquire().release() shouldBe true
                StoredSemaphore(replica, "stale").awaitNothing()
            }
        }
    }

    test("a holder whose permit the promoted replica gives to somebody else loses its lease") {
        onStage {
            val former = client(proxied, lease = 10.seconds).semaphore("stale", 1)
            RedisServer.start { replicaOf(redis) }.use { replica ->
                eventually(30.seconds) { replica.command("HGET", stored("stale").keys.getValue("state"), "permits") shouldBe "1" }
                replica.promote()
                val permit = former.acquire()
                val newcomer = client(replica.uri).semaphore("stale", 1).acquire()

                failOverTo(replica)

                eventually(30.seconds) { permit.isLost shouldBe true }
                StoredSemaphore(replica, "stale").held shouldBe 1
                permit.release() shouldBe false
                newcomer.release() shouldBe true
            }
        }
    }

    test("a server that turns into a replica is given up for the one behind its address") {
        onStage {
            RedisServer.start { replicaOf(redis) }.use { replica ->
                val semaphore = client(proxied, lease = 10.seconds).semaphore("turned", 1)
                val permit = semaphore.acquire()
                eventually(30.seconds) { StoredSemaphore(replica, "turned").held shouldBe 1 }
                replica.promote()
                replica.load(Scripts.production)
                proxy.redirect(replica.host, replica.port)
                redis.command("REPLICAOF", replica.host, "${replica.port}")

                // Its connection stays open and answers READONLY.
                permit.release() shouldBe true
                StoredSemaphore(replica, "turned").held shouldBe 0
            }
        }
    }

    test("a primary that writes only with a replica gives nothing away beside the replica that was promoted, and says why") {
        onStage({
            config("min-replicas-to-write", "1")
            config("min-replicas-max-lag", "1")
        }) {
            RedisServer.start { replicaOf(redis) }.use { replica ->
                eventually(30.seconds) { redis.command("INFO", "replication").lines().any { "lag=0" in it || "lag=1" in it } shouldBe true }
                val former = client(lease = 3.seconds) { storeTimeout = 1.seconds }
                val semaphore = eventually(30.seconds) { former.semaphore("leader", 1) }
                val permit = semaphore.acquire()
                eventually(30.seconds) { StoredSemaphore(replica, "leader").held shouldBe 1 }
                val lost = CompletableDeferred<TimeSource.Monotonic.ValueTimeMark>()
                permit.onLost { lost.complete(TimeSource.Monotonic.markNow()) }

                // By hand: nobody tells the old primary, and its clients stay with it.
                replica.promote()
                val newcomer = client(replica.uri, lease = 3.seconds).semaphore("leader", 1).acquire()
                val granted = TimeSource.Monotonic.markNow()

                // The old one has no replica any more, renews nothing, and grants nobody.
                lost.await()
                val text = shouldThrow<StoreUnavailableException> { semaphore.tryAcquire() }.message
                text shouldContain "NOREPLICAS"
                text shouldContain "min-replicas-to-write"
                // At no time both: the former holder heard of it before the lease of his session was over on the new primary.
                (lost.await() <= granted) shouldBe true
                newcomer.release() shouldBe true
            }
        }
    }
})
