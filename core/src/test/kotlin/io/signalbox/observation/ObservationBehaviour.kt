package io.signalbox.observation

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.signalbox.ConnectionState
import io.signalbox.LossReason
import io.signalbox.Observation
import io.signalbox.SignalboxClosedException
import io.signalbox.SignalboxListener
import io.signalbox.behaviour.Backend
import io.signalbox.behaviour.Clients
import io.signalbox.behaviour.InMemory
import io.signalbox.behaviour.PATIENCE
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.loseNow
import io.signalbox.behaviour.plays
import io.signalbox.behaviour.withClients
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList

class InMemoryObservationSpec : ObservationBehaviour(InMemory)

class RedisObservationSpec : ObservationBehaviour(Redis())

/** Statistics of a namespace, and what a client can be heard doing. */
abstract class ObservationBehaviour(
    private val backend: Backend,
) : FunSpec() {
    private fun behaviour(
        name: String,
        body: suspend Clients.() -> Unit,
    ) {
        if (backend.plays(emptyArray())) test(name) { withClients(backend.emptyStore(), body) }
    }

    private class Heard : SignalboxListener {
        val all = ConcurrentLinkedQueue<Observation>()

        override fun onGranted(granted: Observation.Granted) {
            all += granted
        }

        override fun onReleased(released: Observation.Released) {
            all += released
        }

        override fun onLost(lost: Observation.Lost) {
            all += lost
        }

        override fun onTimedOut(timedOut: Observation.TimedOut) {
            all += timedOut
        }

        override fun onRefused(refused: Observation.Refused) {
            all += refused
        }

        override fun onHeldLong(heldLong: Observation.HeldLong) {
            all += heldLong
        }
    }

    init {
        behaviour("statistics list the semaphores of all clients, the most used first") {
            semaphore(permits = 4, name = "half").acquire(permits = 2)
            val full = semaphore(permits = 3, name = "full")
            repeat(3) { full.acquire() }
            semaphore(permits = 5, name = "idle")
            client().mutex("not a semaphore").lock()
            val observer = client()
            eventually(PATIENCE) {
                observer.statistics().map { it.name } shouldBe listOf("full", "half", "idle")
            }
            val (first, second, third) = observer.statistics()
            listOf(first.permits, first.heldPermits, first.waiting) shouldBe listOf(3, 3, 0)
            listOf(first.grants, second.grants, third.grants) shouldBe listOf(3, 1, 0)
            listOf(first.usage, second.usage, third.usage) shouldBe listOf(1.0, 0.5, 0.0)
            observer.statistics(limit = 1).map { it.name } shouldBe listOf("full")
            observer.statistics(names = listOf("idle", "half", "unknown", "idle")).map { it.name } shouldBe listOf("half", "idle")
            observer.statistics(names = emptyList()).shouldBeEmpty()
        }

        behaviour("statistics tell how many wait, and for how long the first of them has") {
            val semaphore = semaphore(permits = 1, name = "busy")
            semaphore.acquire()
            val waiting = List(2) { start { semaphore.acquire() } }
            semaphore.awaitQueue(2)
            val busy = client().statistics(names = listOf("busy")).single()
            busy.waiting shouldBe 2
            (busy.oldestWaiterAge.shouldNotBeNull() >= Duration.ZERO).shouldBeTrue()
            waiting.forEach { it.cancelAndJoin() }
            eventually(PATIENCE) { client().statistics(names = listOf("busy")).single().oldestWaiterAge shouldBe null }
        }

        behaviour("bad arguments of statistics are refused by value") {
            val client = client()
            shouldThrow<IllegalArgumentException> { client.statistics(limit = 0) }.message shouldContain
                "limit must be from 1 to 10000, but was 0"
            shouldThrow<IllegalArgumentException> { client.statistics(limit = 10_001) }
            shouldThrow<IllegalArgumentException> { client.statistics(names = listOf("a{b")) }.message shouldContain "a{b"
            client.closeAndJoin()
            shouldThrow<SignalboxClosedException> { client.statistics() }
        }

        behaviour("a listener hears what is granted, released and lost, of which kind, and for how long") {
            val client = client()
            val heard = Heard()
            val registration = client.addListener(heard)
            val semaphore = client.semaphore("api", permits = 2) { maxHold = 1.minutes }
            val permit = semaphore.acquire(permits = 2)
            permit.release() shouldBe true
            val lost = semaphore.acquire()
            lost.loseNow()
            // Whoever asks may know of the loss before listeners have been told.
            eventually(PATIENCE) { heard.all.last().shouldBeInstanceOf<Observation.Lost>() }
            client.mutex("report").lock().release()
            client.event("done").run {
                set()
                await()
            }
            eventually(PATIENCE) { heard.all.last().shouldBeInstanceOf<Observation.Released>().kind shouldBe Observation.Kind.EVENT }
            val seen = heard.all.map { "${it::class.simpleName}" }
            seen shouldBe listOf("Granted", "Released", "Granted", "Lost", "Granted", "Released", "Granted", "Released")
            val granted = heard.all.first().shouldBeInstanceOf<Observation.Granted>()
            listOf(granted.name, granted.permits, granted.fencingToken) shouldBe listOf("api", 2, permit.fencingToken)
            granted.kind shouldBe Observation.Kind.SEMAPHORE
            val released = heard.all.elementAt(1).shouldBeInstanceOf<Observation.Released>()
            released.fencingToken shouldBe permit.fencingToken
            (released.held >= Duration.ZERO && granted.waited >= Duration.ZERO).shouldBeTrue()
            heard.all.elementAt(3).shouldBeInstanceOf<Observation.Lost>().fencingToken shouldBe lost.fencingToken
            registration.dispose()
            val count = heard.all.size
            semaphore.acquire().release()
            heard.all.size shouldBe count
        }

        behaviour("waiting in vain, being refused, and why a permit was lost are heard") {
            val client = client()
            val semaphore = client.semaphore("api", permits = 1) { maxHold = 1.minutes }
            val event = client.event("done")
            val heard = Heard()
            val permit = semaphore.acquire()
            client.addListener(heard)
            semaphore.tryAcquire(timeout = 20.milliseconds) shouldBe null
            semaphore.tryAcquire() shouldBe null
            shouldThrow<IllegalArgumentException> { semaphore.acquire(permits = 2) }
            event.tryAwait(10.milliseconds) shouldBe false
            val (inVain, taken, impossible, unset) = heard.all.toList()
            inVain.shouldBeInstanceOf<Observation.TimedOut>().run {
                listOf(kind, name, permits) shouldBe listOf(Observation.Kind.SEMAPHORE, "api", 1)
                (waited >= 20.milliseconds).shouldBeTrue()
            }
            taken.shouldBeInstanceOf<Observation.Refused>().reason shouldBe Observation.Refusal.TAKEN
            impossible.shouldBeInstanceOf<Observation.Refused>().reason shouldBe Observation.Refusal.IMPOSSIBLE
            unset.shouldBeInstanceOf<Observation.TimedOut>().kind shouldBe Observation.Kind.EVENT
            permit.loseNow()
            eventually(PATIENCE) {
                heard.all.last().shouldBeInstanceOf<Observation.Lost>().reason shouldBe LossReason.MAX_HOLD
            }
        }

        behaviour("whether a grant had to wait for others is told") {
            val client = client()
            val heard = Heard()
            client.addListener(heard)
            val semaphore = client.semaphore("api", permits = 1)
            val first = semaphore.acquire()
            val second = start { semaphore.acquire() }
            semaphore.awaitQueue(1)
            first.release()
            second.await().release()
            eventually(PATIENCE) {
                heard.all.filterIsInstance<Observation.Granted>().map { it.queued } shouldBe listOf(false, true)
            }
        }

        behaviour("a permit that is held for longer than the setting is told once, and stays held") {
            val client = client {
                lease = 600.milliseconds
                holdWarning = 50.milliseconds
            }
            val heard = Heard()
            client.addListener(heard)
            val semaphore = client.semaphore("api", permits = 3)
            val forgotten = semaphore.acquire()
            eventually(PATIENCE) {
                heard.all.last().shouldBeInstanceOf<Observation.HeldLong>().fencingToken shouldBe forgotten.fencingToken
            }
            val other = semaphore.acquire(permits = 2)
            eventually(PATIENCE) { heard.all.last().shouldBeInstanceOf<Observation.HeldLong>().fencingToken shouldBe other.fencingToken }
            heard.all.count { it is Observation.HeldLong } shouldBe 2
            forgotten.release() shouldBe true
        }

        behaviour("usage tells what this client holds and waits for, by handle") {
            val client = client()
            val semaphore = client.semaphore("api", permits = 3)
            val idle = client.lazyMutex("idle")
            semaphore.acquire(permits = 2)
            semaphore.acquire()
            val waiting = List(2) { start { semaphore.acquire() } }
            semaphore.awaitQueue(2)
            client().semaphore("api", permits = 3)
            val usage = client.usage().sortedBy { it.name }.map { listOf(it.kind, it.name, it.heldPermits, it.waiting) }
            usage shouldBe listOf(listOf(Observation.Kind.SEMAPHORE, "api", 3, 2), listOf(Observation.Kind.MUTEX, "idle", 0, 0))
            // Somebody has it until here: what nobody has is forgotten.
            idle.name shouldBe "idle"
            waiting.forEach { it.cancelAndJoin() }
        }

        behaviour("a ping is answered, and the state is known from moment to moment, until the end") {
            val client = client()
            (client.ping() > Duration.ZERO || backend === InMemory).shouldBeTrue()
            client.state.value shouldBe ConnectionState.CONNECTED
            client.ping(timeout = 10.seconds)
            shouldThrow<IllegalArgumentException> { client.ping(timeout = Duration.ZERO) }.message shouldContain "timeout"
            client.closeAndJoin()
            client.state.value shouldBe ConnectionState.CLOSED
            shouldThrow<SignalboxClosedException> { client.ping() }
            shouldThrow<SignalboxClosedException> { client.lazySemaphore("late", permits = 1) }
        }

        behaviour("a listener that throws keeps nobody from anything") {
            val client = client()
            client.addListener(
                object : SignalboxListener {
                    override fun onGranted(granted: Observation.Granted) = error("broken on purpose")
                },
            )
            val heard = Heard()
            client.addListener(heard)
            client.semaphore("api", permits = 1).acquire().release() shouldBe true
            heard.all.size shouldBe 2
        }

        behaviour("the flow of observations begins with its collection") {
            val client = client()
            val semaphore = client.semaphore("api", permits = 1)
            semaphore.acquire().release()
            val collected = async(start = CoroutineStart.UNDISPATCHED) { client.observations().take(2).toList() }
            val permit = semaphore.acquire()
            permit.release()
            val (granted, released) = collected.await()
            granted.shouldBeInstanceOf<Observation.Granted>().fencingToken shouldBe permit.fencingToken
            released.shouldBeInstanceOf<Observation.Released>().fencingToken shouldBe permit.fencingToken
        }
    }
}
