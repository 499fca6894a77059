package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.internal.BackendOwner
import io.signalbox.internal.SignalboxBackend
import io.signalbox.internal.redis.Announcements
import io.signalbox.internal.redis.Scripts
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.withTimeout

private const val PUSH = "redis.call('RPUSH', other.inbox, line)"

/** Announcements are hints: lost, doubled, invented or early, they change who is granted what in nothing. */
class AnnouncementFaultTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    fun scriptsThatPush(instead: String) =
        Scripts { script -> script.also { if ("'gap '" in it) it shouldContain PUSH }.replace(PUSH, instead) }

    test("a line that its recipient cannot take in keeps no other from its own, and the connection stays") {
        onStage {
            val client = client()
            val store = (client as BackendOwner).backend.store as SignalboxBackend.Store.Redis
            val heard = Channel<String>(Channel.UNLIMITED)
            val recipients =
                mapOf<String, (String) -> Unit>("bad" to { throw NumberFormatException("made up") }, "good" to { heard.trySend(it) })
            store.line.announcements.run {
                for ((name, hear) in recipients) {
                    register(
                        name,
                        object : Announcements.Recipient {
                            override fun onLine(text: String) = hear(text)

                            override fun onInboxChanged() = Unit
                        },
                    )
                }
                open()
            }
            val connection = redis.awaitBlockingClient()
            val inbox = store.line.announcements.inbox
            redis.command("RPUSH", inbox, "bad 1", "good 1", "bad 2", "nobody 1", "", "good 2")
            redis.command("RPUSH", inbox, "good 3")
            withTimeout(20.seconds) { List(3) { heard.receive() } } shouldBe listOf("1", "2", "3")
            redis.awaitBlockingClient() shouldBe connection
            store.line.announcements.inbox shouldBe inbox
        }
    }

    test("an announcement that is never pushed: the waiter finds its permit within the third of a lease") {
        onStage {
            val lease = 9.seconds
            val mute = scriptsThatPush("")
            val holder = client(scripts = mute).semaphore("lost", 1).acquire()
            val waiter = async { client(scripts = mute, lease = lease).semaphore("lost", 1).acquire() }
            stored("lost").awaitQueued(1)
            holder.release()
            // Given, and not heard of.
            stored("lost").held shouldBe 1

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

    test("announcements of the past, of other sessions and states, and lines that are none, are ignored") {
        onStage {
            val first = client(lease = 90.seconds).semaphore("invented", 1)
            val other = client(lease = 90.seconds).semaphore("invented", 1)
            val holder = first.acquire()
            val served = async { other.acquire() }
            stored("invented").awaitQueued(1)
            holder.release()
            served.await().release() shouldBe true
            stored("invented").awaitNothing()
            val holding = first.acquire()
            val waiter = async { other.acquire() }
            stored("invented").awaitQueued(1)

            val (session, record) = stored("invented").records.entries.single { it.value[3] > it.value[4] }
            val epoch = stored("invented").epoch
            val (_, given, returned, admitted) = record
            val inbox = redis.command("HGET", stored("invented").keys.getValue("state"), "$session|inbox")
            val lines =
                listOf(
                    "$session $epoch $given ${admitted - 1} 0 1 0 a 0 ${holder.fencingToken + 1} 1 1 1",
                    "$session $epoch $returned 0 0 0 0",
                    "$session another ${given + 5} ${admitted + 5} 0 1 0 a 1000 ${holder.fencingToken} 5 5 5",
                    "nobody.1 $epoch ${given + 5} ${admitted + 5} 0 1 0",
                    "nonsense",
                    "",
                    "$session",
                    "$session a b c d",
                    "$session $epoch 1 2",
                    "$session $epoch ${given + 5} ${admitted + 5} 0 1",
                    "$session $epoch ${given + 5} ${admitted + 5} 0 1 0 a 1",
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
            eventually(30.seconds) { (waiter.isCompleted || stored("early").held == 1) shouldBe true }
            commands.delay(java.time.Duration.ZERO)

            // Sooner than by the heartbeat, 24 s after the last exchange or later.
            withTimeout(20.seconds) { waiter.await() }.release() shouldBe true
        }
    }
})
