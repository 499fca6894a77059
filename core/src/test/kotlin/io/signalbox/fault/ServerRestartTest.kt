package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.signalbox.AfterDataLoss
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.internal.redis.Scripts
import java.net.Socket
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async
import kotlinx.coroutines.withTimeout

class ServerRestartTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    /** Waiters in a known order, each from a client of its own; [served] is the order in which they got their permit. */
    suspend fun Stage.queue(
        name: String,
        semaphores: List<Semaphore>,
        served: MutableList<Int>,
    ): List<Deferred<Boolean>> =
        semaphores.mapIndexed { index, semaphore ->
            val waiter =
                async {
                    val permit = semaphore.acquire()
                    served += index
                    permit.release()
                }
            stored(name).awaitQueued(index + 1)
            waiter
        }

    test("a crash that loses nothing: permits and places are kept, tokens go on growing") {
        onStage({ appendOnly() }) {
            val clients = List(4) { client(lease = 15.seconds).semaphore("crash", 1) }
            val holder = clients[0].acquire()
            val served = mutableListOf<Int>()
            val waiters = queue("crash", clients.drop(1), served)

            redis.kill()
            redis.restart()

            stored("crash").held shouldBe 1
            stored("crash").queued shouldBe 3
            holder.release() shouldBe true
            waiters.map { it.await() } shouldContainExactly listOf(true, true, true)
            served shouldContainExactly listOf(0, 1, 2)
            clients[0].acquire().fencingToken shouldBeGreaterThan holder.fencingToken
        }
    }

    for ((fault, strike) in listOf<Pair<String, Stage.() -> Unit>>(
        "a restart without data" to {
            redis.kill()
            redis.restart()
        },
        "FLUSHALL" to { redis.command("FLUSHALL") },
    )) {
        test("$fault, and a quarantine after it: every holder puts itself back under its token, waiters queue again") {
            onStage {
                // Joining begins no quarantine.
                client().run {
                    semaphore("lost", 2)
                    closeAndJoin()
                }
                val semaphores = List(2) { client(lease = 6.seconds).semaphore("lost", 2) { afterDataLoss = AfterDataLoss.QUARANTINE } }
                val permits = semaphores.map { it.acquire() }
                // Each releases for itself: which client queues again first is open.
                val waiters =
                    (semaphores + semaphores).map { semaphore ->
                        async {
                            val permit = semaphore.acquire()
                            permit.release() shouldBe true
                            permit.fencingToken
                        }
                    }
                stored("lost").awaitQueued(4)
                val epoch = stored("lost").epoch

                strike()

                eventually(30.seconds) {
                    stored("lost").held shouldBe 2
                    stored("lost").tokens shouldBe permits.map { it.fencingToken }.toSet()
                    stored("lost").queued shouldBe 4
                }
                stored("lost").epoch shouldNotBe epoch
                permits.forEach { it.isLost shouldBe false }
                permits.forEach { it.release() shouldBe true }
                val largest = permits.maxOf { it.fencingToken }
                waiters.forEach { it.await() shouldBeGreaterThan largest }
                stored("lost").awaitNothing()
            }
        }

        test("$fault: a holder puts itself back, or a waiter was first and the holder knows it") {
            onStage {
                val semaphores = List(2) { client(lease = 6.seconds).semaphore("lost", 2) }
                val permits = semaphores.map { it.acquire() }
                val served = ConcurrentLinkedQueue<Permit>()
                val mayRelease = CompletableDeferred<Unit>()
                val waiters =
                    (semaphores + semaphores).map { semaphore ->
                        async {
                            val permit = semaphore.acquire().also(served::add)
                            mayRelease.await()
                            permit.release()
                        }
                    }
                stored("lost").awaitQueued(4)

                strike()

                eventually(30.seconds) {
                    stored("lost").held shouldBe 2
                    stored("lost").tokens shouldContainAll permits.filterNot { it.isLost }.map { it.fencingToken }
                    stored("lost").queued + served.size shouldBe 4
                }
                permits.forEach { permit -> permit.release() shouldBe !permit.isLost }
                mayRelease.complete(Unit)
                waiters.forEach { it.await() shouldBe true }
                stored("lost").awaitNothing()
            }
        }

        test("$fault: who comes back after newcomers have taken the permits loses its lease, and capacity is kept") {
            onStage {
                val former = client(proxied, lease = 15.seconds).semaphore("taken", 2)
                val permits = listOf(former.acquire(), former.acquire())
                val losses = permits.map { permit -> CompletableDeferred<Permit>().also { permit.onLost { it.complete(permit) } } }
                proxy.refuseConnections()
                proxy.cut()

                strike()
                load(Scripts.production)
                val newcomer = client().semaphore("taken", 2).acquire()
                stored("taken").held shouldBe 1
                proxy.refuseConnections(false)

                // There is room for one of two.
                stored("taken").awaitHeld(2)
                eventually(30.seconds) { losses.count { it.isCompleted } shouldBe 1 }
                val lost = losses.single { it.isCompleted }.await()
                lost.release() shouldBe false
                (permits - lost).single().let { kept ->
                    kept.isLost shouldBe false
                    kept.release() shouldBe true
                }
                newcomer.release() shouldBe true
                stored("taken").awaitNothing()
            }
        }
    }

    test("data lost, and nobody creates the semaphore until the leases are over: what is put back then is given back") {
        onStage {
            val creator = client(lease = 2.seconds)
            creator.semaphore("late", 3)
            val attached = client(lease = 2.seconds).attach("late")
            val permits = List(3) { attached.acquire() }
            val waiter = async { attached.acquire() }
            stored("late").awaitQueued(1)
            creator.closeAndJoin()

            redis.command("FLUSHALL")
            eventually(30.seconds) { permits.all { it.isLost } shouldBe true }
            val created = client().semaphore("late", 3)

            withTimeout(30.seconds) { waiter.await() }.release() shouldBe true
            stored("late").awaitNothing()
            withTimeout(30.seconds) { created.acquire(3) }.release() shouldBe true
        }
    }

    test("a client that holds and waits for nothing joins again when it is asked to do something") {
        onStage {
            val semaphore = client().semaphore("idle", 2)
            redis.kill()
            redis.restart()
            withTimeout(30.seconds) { semaphore.acquire() }.release() shouldBe true
            semaphore.permits() shouldBe 2
        }
    }

    // The numbers fit again; only what was granted then is not what the client was told.
    for ((kind, weight) in listOf("counted" to 1, "listed" to 2)) {
        test("a server that went back behind an answered exchange and executes a copy of it that was held up: a $kind permit") {
            onStage {
                val semaphore = client(proxied, lease = 3.seconds).semaphore("back", 3)
                // Keeps the session alive.
                val kept = semaphore.acquire()
                val keys = stored("back").keys.values
                keys.forEach { redis.command("COPY", it, "$it:before") }
                val session = stored("back").records.keys.single()
                val copies = ConcurrentLinkedQueue<String>()
                proxy.onRequest { _, request -> if ("EVALSHA" in request) copies += request }
                val permit = semaphore.acquire(permits = weight)
                val copy = copies.single()

                keys.forEach { key ->
                    redis.command("DEL", key)
                    redis.command("COPY", "$key:before", key)
                }
                Socket(redis.host, redis.port).use { connection ->
                    connection.outputStream.write(copy.toByteArray(Charsets.ISO_8859_1))
                    connection.inputStream.read() shouldBe '*'.code
                }
                stored("back").held shouldBe 1 + weight
                permit.release()

                eventually(30.seconds) { (session in stored("back").records) shouldBe false }
                withTimeout(30.seconds) { client().semaphore("back", 3).acquire(permits = 2) }.release() shouldBe true
                kept.release() shouldBe true
                stored("back").awaitNothing()
            }
        }
    }

    test("permits are lost, and say so, when the server stays away") {
        onStage {
            val permit = client(lease = 1.seconds).semaphore("gone", 1).acquire()
            val lost = CompletableDeferred<Unit>()
            permit.onLost { lost.complete(Unit) }
            redis.kill()
            withTimeout(30.seconds) { lost.await() }
            permit.isLost shouldBe true
            permit.release() shouldBe false
        }
    }
})
