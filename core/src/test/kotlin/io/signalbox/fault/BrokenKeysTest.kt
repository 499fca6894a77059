package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.StoreUnavailableException
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.withTimeout

/** Keys of a semaphore that somebody has taken away, or put something else in. */
class BrokenKeysTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    fun Stage.waiter(semaphore: Semaphore): Deferred<Boolean> =
        async {
            semaphore.acquire().release()
            true
        }

    for (kind in listOf("state", "listed", "queue", "sessions", "limits")) {
        test("'$kind' is deleted, with holders and waiters of several clients: everybody is served, and nothing is left") {
            onStage {
                val semaphores = List(3) { client(lease = 3.seconds).semaphore("broken", 2) { maxHold = 1000.seconds } }
                val holders = List(2) { semaphores[0].acquire() }
                val waiters = (semaphores + semaphores).map { waiter(it) }
                stored("broken").awaitQueued(6)

                stored("broken").delete(kind)
                holders.forEach { it.release() }

                withTimeout(40.seconds) { waiters.awaitAll() }
                stored("broken").awaitNothing()
                val all = List(2) { semaphores[2].acquire(timeout = 30.seconds) }
                semaphores[1].tryAcquire() shouldBe null
                all.forEach { it.release() shouldBe true }
            }
        }

        test("'$kind' is deleted, and holders stay: who waits is served within a lease of their release") {
            onStage {
                val semaphores = List(3) { client(lease = 2.seconds).semaphore("broken", 1) }
                val holder = semaphores[0].acquire()
                val waiters = listOf(semaphores[1], semaphores[2]).map { waiter(it) }
                stored("broken").awaitQueued(2)

                stored("broken").delete(kind)
                // A round of heartbeats, in which everybody notices what there is to notice.
                val before = semaphores.map { it.permits() }
                before shouldBe listOf(1, 1, 1)
                holder.release()

                withTimeout(40.seconds) { waiters.awaitAll() }
                stored("broken").awaitNothing()
            }
        }
    }

    test("a place is taken out of the queue by somebody else: nothing hangs, and its waiter queues again") {
        onStage {
            val holding = client(lease = 6.seconds).semaphore("broken", 2)
            val held = holding.acquire(2)
            val waiters =
                List(2) { waiter(client(lease = 6.seconds).semaphore("broken", 2)).also { _ -> stored("broken").awaitQueued(it + 1) } }
            redis.command("ZREM", stored("broken").keys.getValue("queue"), stored("broken").members("queue").first())

            // Room for both at once, and one is there.
            held.release() shouldBe true
            withTimeout(30.seconds) { waiters.awaitAll() }
            stored("broken").awaitNothing()
            client().semaphore("broken", 2).tryAcquire(2)!!.release() shouldBe true
        }
    }

    test("'listed' is deleted, and a max hold in it ends: there are no more permits than before") {
        onStage {
            client(proxied, lease = 2.seconds).semaphore("broken", 5) { maxHold = 6.seconds }.acquire(5)
            val others = client(lease = 60.seconds).semaphore("broken", 5) { maxHold = 6.seconds }
            proxy.refuseConnections()
            proxy.cut()

            stored("broken").delete("listed")
            val permit = client(lease = 60.seconds).semaphore("broken", 5).acquire()
            // An exchange finds that the max hold, of which only the limit is left, is over.
            eventually(30.seconds) {
                others.permits()
                stored("broken").members("limits").shouldBeEmpty()
            }
            others.tryAcquire(5) shouldBe null
            others.tryAcquire(4)!!.release() shouldBe true
            permit.release() shouldBe true
        }
    }

    test("'queue' is deleted, and others queue at once: who was in it is in it again after its next heartbeat") {
        onStage {
            val holder = client(lease = 6.seconds).semaphore("broken", 1)
            val former = client(lease = 6.seconds).semaphore("broken", 1)
            val others = client(lease = 6.seconds).semaphore("broken", 1)
            val permit = holder.acquire()
            val next = waiter(holder)
            stored("broken").awaitQueued(1)
            val waiter = waiter(former)
            stored("broken").awaitQueued(2)
            val place = stored("broken").members("queue").single()
            val session = place.substringBefore('/')

            stored("broken").delete("queue")
            val newcomers = List(3) { waiter(others) }

            eventually(30.seconds) { stored("broken").members("queue").count { it.startsWith("$session/") } shouldBe 1 }
            permit.release() shouldBe true
            (newcomers + waiter + next).awaitAll()
            stored("broken").awaitNothing()
        }
    }

    test("'sessions' is deleted, and a holder dies: its permit is free within a lease") {
        onStage {
            val next = client(lease = 3.seconds).semaphore("broken", 1)
            client(proxied, lease = 3.seconds).semaphore("broken", 1).acquire()
            val waiter = waiter(next)
            stored("broken").awaitQueued(1)
            stored("broken").delete("sessions")
            proxy.refuseConnections()
            proxy.cut()
            withTimeout(30.seconds) { waiter.await() }
        }
    }

    test("'limits' is deleted: a max hold still ends, by its holder's own clock") {
        onStage {
            val next = client().semaphore("broken", 1)
            val holding = client().semaphore("broken", 1) { maxHold = 3.seconds }.acquire()
            val waiter = waiter(next)
            stored("broken").awaitQueued(1)
            stored("broken").delete("limits")
            withTimeout(30.seconds) { waiter.await() }
            holding.isLost shouldBe true
        }
    }

    test("a key of another type: the error says so, no other semaphore is harmed, and all is well when it is gone") {
        onStage {
            val client = client(lease = 6.seconds)
            val other = client.semaphore("whole", 1)
            for (kind in listOf("state", "queue")) {
                val semaphore = client.semaphore("broken-$kind", 1)
                // Whoever wants to queue, and not only to be admitted, needs all keys.
                val holder = if (kind ==
                    "queue"
                ) {
                    client(lease = 6.seconds).semaphore("broken-$kind", 1).run { listOf(acquire(), waiter(this)) }
                } else {
                    emptyList()
                }
                if (kind == "queue") stored("broken-$kind").awaitQueued(1)
                redis.command("SET", stored("broken-$kind").keys.getValue(kind), "something else")

                val error = shouldThrow<StoreUnavailableException> { semaphore.acquire() }
                error.message shouldContain "WRONGTYPE"
                error.message shouldContain "namespace"
                other.acquire().release() shouldBe true

                stored("broken-$kind").delete(kind)
                (holder.firstOrNull() as Permit?)?.release()
                withTimeout(30.seconds) { semaphore.acquire() }.release() shouldBe true
                stored("broken-$kind").awaitNothing()
            }
        }
    }

    test("a key of another type where a semaphore is to be created: the error says so, and the key stays as it is") {
        onStage {
            val key = stored("broken").keys.getValue("state")
            redis.command("SET", key, "something else")
            shouldThrow<StoreUnavailableException> { client().semaphore("broken", 1) }.message shouldContain "WRONGTYPE"
            redis.command("GET", key) shouldBe "something else"
        }
    }
})
