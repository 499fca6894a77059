package io.signalbox.cluster

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.lettuce.core.RedisURI
import io.signalbox.InitStrategy
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.SignalboxException
import io.signalbox.StoreUnavailableException
import io.signalbox.behaviour.PATIENCE
import io.signalbox.behaviour.freshNamespace
import io.signalbox.use
import io.signalbox.withPermit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch

/** Slots that move, and clients that do not know yet. */
class RedirectionTest : FunSpec({
    test("a client of one server that meets a cluster says so at once, and what to call instead") {
        val (there, elsewhere) = Shared.cluster.masters
        val name = generateSequence(0) { it + 1 }.map { "n$it" }.first { Shared.cluster.ownerOf("{$it}") === elsewhere }
        Signalbox.connect(there.uri) { namespace = freshNamespace() }.use { signalbox ->
            val start = TimeSource.Monotonic.markNow()
            val refusal = shouldThrow<StoreUnavailableException> { signalbox.semaphore(name, 1) }
            refusal.message shouldContain "connectCluster()"
            // Far less than the store timeout.
            start.elapsedNow() shouldBeLessThan 5.seconds
        }
    }

    test("slots move from master to master under load: nobody gets in beside those who hold, and everybody gets through") {
        onCluster(masters = 2, replicas = 0) {
            val (first, second) = cluster.masters
            val slot = cluster.slotOf("{api}")
            val handles = List(2) { client().semaphore("api", 3) }
            val pool = client().semaphore("pooled", 2) { algorithm = SemaphoreAlgorithm.Pool(InitStrategy.LUA) }
            val event = client().event("api")
            val inside = AtomicInteger()
            val most = AtomicInteger()
            val rounds = AtomicInteger()
            val problems = java.util.concurrent.ConcurrentLinkedQueue<SignalboxException>()
            var isOver = false
            val load =
                List(16) { i ->
                    async {
                        while (!isOver) {
                            handles[i % 2].withPermit {
                                val now = inside.incrementAndGet()
                                most.updateAndGet { maxOf(it, now) }
                                kotlinx.coroutines.yield()
                                inside.decrementAndGet()
                            }
                            rounds.incrementAndGet()
                        }
                    }
                }
            val pooling = List(4) { async { while (!isOver) pool.withPermit { kotlinx.coroutines.yield() } } }
            repeat(4) { round ->
                val to = if (cluster.ownerOf(slot) === first) second else first
                val migration = cluster.beginMigration(slot, to)
                val before = rounds.get()
                // Half-way: some keys here, some there.
                migration.moveKeys(1)
                val signal = async { event.set() }
                migration.finish()
                signal.await()
                cluster.migrate(cluster.slotOf("{pooled}"), to)
                event.tryAwait(PATIENCE) shouldBe true
                io.kotest.assertions.nondeterministic.eventually(PATIENCE) { check(rounds.get() > before + round) }
            }
            isOver = true
            (load + pooling).awaitAll()
            problems.shouldBeEmpty()
            check(most.get() <= 3) { "${most.get()} were inside at a time" }
            handles[0].availablePermits() shouldBe 3
        }
    }

    test("nodes come and go: a new one takes slots over, and is emptied and removed again") {
        onCluster(masters = 2, replicas = 0) {
            val semaphore = client().semaphore("api", 1)
            val permit = semaphore.acquire()
            val waiter = async { client().semaphore("api", 1).acquire() }
            semaphore.awaitQueue(1)
            val former = ownerOf("api")
            val added = cluster.add()

            cluster.migrate(cluster.slotOf("{api}"), added)
            permit.release() shouldBe true
            val granted = waiter.await()

            cluster.migrate(cluster.slotOf("{api}"), former)
            cluster.remove(added)
            granted.release() shouldBe true
            semaphore.tryAcquire()!!.release() shouldBe true
        }
    }
})
