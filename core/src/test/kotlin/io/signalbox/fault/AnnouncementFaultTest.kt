package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.history.audit
import io.signalbox.history.auditedScripts
import io.signalbox.history.only
import io.signalbox.internal.redis.Scripts
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlinx.coroutines.async
import kotlinx.coroutines.withTimeout

private const val PUSH = "redis.call('RPUSH', target, unpack(announcements[target]))"

/** Announcements are hints: lost, doubled, invented or early, they change who is granted what in nothing. */
class AnnouncementFaultTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    fun scriptsThatPush(instead: String) =
        Scripts { script -> script.also { if ("'gap '" in it) it shouldContain PUSH }.replace(PUSH, instead) }

    test("an announcement that is never pushed: the waiter finds its permit within the third of a lease") {
        onStage {
            val lease = 9.seconds
            val mute = scriptsThatPush("")
            val holder = client(scripts = mute).semaphore("lost", 1).acquire()
            val waiter = async { client(scripts = mute, lease = lease).semaphore("lost", 1).acquire() }
            stored("lost").awaitQueued(1)
            holder.release()
            stored("lost").unread shouldBe 1

            measureTime { waiter.await().release() shouldBe true } shouldBeLessThan lease / 3 * 1.2 + 3.seconds
            stored("lost").awaitNothing()
        }
    }

    test("an announcement lost with the reply that carried it: the waiter finds its permit within the third of a lease") {
        onStage {
            val lease = 9.seconds
            val holder = client().semaphore("lost", 1).acquire()
            val waiter = async { client(proxied, lease = lease).semaphore("lost", 1).acquire() }
            stored("lost").awaitQueued(1)
            redis.awaitBlockingClient()
            proxy.onReply { _, reply -> ":inbox:" !in reply }
            holder.release()

            measureTime { waiter.await().release() shouldBe true } shouldBeLessThan lease / 3 * 1.2 + 3.seconds
            stored("lost").awaitNothing()
        }
    }

    test("an announcement lost with the connection that carried it: the waiter finds its permit as soon as it has another") {
        onStage {
            val holder = client(lease = 90.seconds).semaphore("lost", 1).acquire()
            val waiter = async { client(proxied, lease = 90.seconds).semaphore("lost", 1).acquire() }
            stored("lost").awaitQueued(1)
            redis.awaitBlockingClient()
            proxy.onReply { connection, reply ->
                val carriesIt = ":inbox:" in reply
                if (carriesIt) connection.cutClient()
                !carriesIt
            }
            holder.release()

            withTimeout(20.seconds) { waiter.await() }.release() shouldBe true
            stored("lost").awaitNothing()
        }
    }

    test("doubled announcements grant nothing twice") {
        onStage {
            val stuttering = scriptsThatPush("$PUSH $PUSH")
            val clients = List(3) { client(scripts = stuttering, lease = 10.seconds).semaphore("doubled", 1) }
            val holders = AtomicInteger()
            val served =
                clients.map { semaphore ->
                    async {
                        repeat(30) {
                            val permit = semaphore.acquire()
                            holders.incrementAndGet() shouldBe 1
                            holders.decrementAndGet()
                            permit.release() shouldBe true
                        }
                    }
                }
            served.forEach { it.await() }
            stored("doubled").awaitNothing()
        }
    }

    test("announcements of unknown and of settled grants, and lines that are none, are ignored") {
        onStage {
            load(auditedScripts)
            val first = client(scripts = auditedScripts, lease = 90.seconds).semaphore("invented", 1)
            val other = client(scripts = auditedScripts, lease = 90.seconds).semaphore("invented", 1)
            val holder = first.acquire()
            val served = async { other.acquire() }
            stored("invented").awaitQueued(1)
            holder.release()
            served.await().release() shouldBe true
            stored("invented").awaitNothing()
            val settled = redis.audit("invented").only("granted").last().words
            val holding = first.acquire()
            val waiter = async { other.acquire() }
            stored("invented").awaitQueued(1)

            val session = settled[0]
            val inbox = redis.command("HGET", stored("invented").keys.getValue("state"), "$session|inbox")
            val lines =
                listOf(
                    "$session ${settled[1]} ${settled[2]} 1 1 0",
                    "$session 1000 ${settled[2]} 1 1 0",
                    "$session 1000 ${settled[2]} 2000000000 1 0",
                    "$session 1000 0 1 1 0",
                    "nobody.1 0 1 1 1 1",
                    "nonsense",
                    "",
                    "$session a b c d",
                    "$session 1 2",
                )
            redis.command("RPUSH", inbox, *lines.toTypedArray())
            eventually(30.seconds) { redis.command("LLEN", inbox) shouldBe "0" }

            stored("invented").held shouldBe 1
            waiter.isActive shouldBe true
            holding.release() shouldBe true
            withTimeout(20.seconds) { waiter.await() }.release() shouldBe true
            stored("invented").awaitNothing()
        }
    }

    test("an announcement that overtakes the answer to its acquire is not forgotten") {
        onStage {
            val holder = client(lease = 90.seconds).semaphore("early", 1)
            val semaphore = client(proxied, lease = 90.seconds).semaphore("early", 1)
            // Has the client open its blocking connection.
            val warm = holder.acquire()
            val warmed = async { semaphore.acquire() }
            stored("early").awaitQueued(1)
            warm.release()
            warmed.await().release()

            val held = holder.acquire()
            val commands = proxy.connections.first()
            proxy.onExchange { connection, exchange -> if (exchange.acquires > 0) connection.delay(java.time.Duration.ofMillis(300)) }
            val waiter = async { semaphore.acquire() }
            stored("early").awaitQueued(1)
            held.release() shouldBe true
            // Else the delayed answer has come first after all, because this process was paused.
            eventually(30.seconds) { (waiter.isCompleted || stored("early").unread == 1) shouldBe true }
            commands.delay(java.time.Duration.ZERO)

            // Sooner than by the heartbeat, 24 s after the last exchange or later.
            withTimeout(20.seconds) { waiter.await() }.release() shouldBe true
        }
    }
})
