package io.signalbox.event

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import io.signalbox.DeletedException
import io.signalbox.Event
import io.signalbox.EventFullException
import io.signalbox.EventSettings
import io.signalbox.EventTimeoutException
import io.signalbox.SignalboxClosedException
import io.signalbox.TooManyWaitersException
import io.signalbox.behaviour.Ability
import io.signalbox.behaviour.Backend
import io.signalbox.behaviour.Clients
import io.signalbox.behaviour.InMemory
import io.signalbox.behaviour.PATIENCE
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.Store
import io.signalbox.behaviour.plays
import io.signalbox.behaviour.withClients
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield

class InMemoryEventSpec : EventBehaviour(InMemory)

class RedisEventSpec : EventBehaviour(Redis())

/** The clients announce signals themselves, as on servers that refuse undeclared keys. */
class AnnouncingEventSpec : EventBehaviour(Redis(settings = { announceInScript = false }))

/** What an event does, whatever store it is on. */
abstract class EventBehaviour(
    private val backend: Backend,
) : FunSpec() {
    private fun behaviour(
        name: String,
        vararg needs: Ability,
        body: suspend Clients.() -> Unit,
    ) {
        if (backend.plays(needs)) test(name) { play(backend.emptyStore(), body) }
    }

    /** Has the clients of [store] do what a test wants of them. */
    protected open suspend fun play(
        store: Store,
        body: suspend Clients.() -> Unit,
    ) = withClients(store, body)

    private suspend fun Clients.event(configure: EventSettings.() -> Unit = {}): Event = client().event("done", configure)

    /** How many signals are kept: takes them all. */
    private suspend fun Event.drain(): Int {
        var taken = 0
        while (tryAwait()) taken++
        return taken
    }

    init {
        behaviour("one who awaits too many is refused at once, and there is room again when one has ended") {
            val event = event { maxWaiters = 1 }
            val awaiting = start { event.await() }
            event.awaitWaiting(1)
            shouldThrow<TooManyWaitersException> { event.await() }.run {
                maxWaiters shouldBe 1
                message shouldContain "event 'done'"
            }
            shouldThrow<TooManyWaitersException> { event.tryAwait(PATIENCE) }
            event.tryAwait() shouldBe false
            event.set()
            awaiting.await()
            event.set()
            event.await()
        }

        behaviour("deleting forgets what is kept, and ends who awaits") {
            val event = client().event("done")
            event.set()
            event.delete() shouldBe true
            event.isSet() shouldBe false
            val awaiting = start { shouldThrow<DeletedException> { event.await() } }
            event.awaitWaiting(1)
            client().event("done").delete() shouldBe true
            awaiting.await().semaphore shouldBe "done"
            event.set()
            event.tryAwait() shouldBe true
        }

        behaviour("set() ends exactly one await(), the one that came first, over clients") {
            val order = mutableListOf<Int>()
            val waiting = List(3) { i ->
                val event = event()
                start { event.await().also { synchronized(order) { order += i } } }.also { event.awaitWaiting(i + 1) }
            }
            val setter = event()
            for (i in 0..2) {
                setter.set()
                waiting[i].await()
                order shouldBe (0..i).toList()
                waiting.count { it.isCompleted } shouldBe i + 1
            }
            setter.isSet() shouldBe false
        }

        behaviour("a set() with nobody waiting is kept, and as many as there were") {
            val setter = event()
            setter.isSet() shouldBe false
            repeat(3) { setter.set() }
            val other = event()
            other.isSet() shouldBe true
            repeat(3) { other.await() }
            other.isSet() shouldBe false
            other.tryAwait() shouldBe false
        }

        behaviour("await() with a time limit says which event was not set") {
            val event = event()
            for (limit in listOf(Duration.ZERO, 20.milliseconds)) {
                val failure = shouldThrow<EventTimeoutException> { event.await(limit) }
                failure.event shouldBe "done"
                failure.message shouldContain "'done' was not set within"
            }
            event.set()
            event.await(PATIENCE)
            event.set()
            event.await(Duration.ZERO)
        }

        behaviour("tryAwait tells whether there was a signal, and leaves the queue if there was none") {
            val event = event()
            event.tryAwait() shouldBe false
            event.tryAwait(20.milliseconds) shouldBe false
            event.set()
            event.isSet() shouldBe true
            event.tryAwait(Duration.INFINITE) shouldBe true
        }

        behaviour("clear() takes back what is kept and says how much that was") {
            val event = event()
            event.clear() shouldBe 0
            repeat(4) { event.set() }
            event().clear() shouldBe 4
            event.isSet() shouldBe false
            event.set()
            event.drain() shouldBe 1
        }

        behaviour("what was consumed just before is not kept any more") {
            val event = event { maxSignals = 2 }
            repeat(100) {
                event.set()
                event.set()
                event.await()
                event.set()
                event.await()
                event.clear() shouldBe 1
            }
        }

        behaviour("who is cancelled while awaiting leaves the queue and takes no signal along") {
            val event = event()
            val cancelled = start { event.await() }
            event.awaitWaiting(1)
            val next = start { event.await() }
            event.awaitWaiting(2)
            cancelled.cancelAndJoin()
            event().set()
            next.await()
            event.isSet() shouldBe false
        }

        behaviour("no signal is lost or doubled when awaits are cancelled at any moment") {
            val setter = event()
            val event = event()
            val taken = AtomicInteger()
            val sets = 400
            val awaits = List(sets) {
                launch {
                    event.await()
                    taken.incrementAndGet()
                }
            }
            val cancelling = launch {
                for (await in awaits.shuffled().take(sets / 2)) {
                    await.cancel()
                    if (Random.nextInt(4) == 0) yield()
                }
            }
            List(sets) { async { setter.set() } }.awaitAll()
            cancelling.join()
            awaits.filter { it.isCancelled }.joinAll()
            eventually(PATIENCE) {
                taken.addAndGet(setter.drain())
                taken.get() shouldBe sets
            }
            awaits.forEach { it.cancelAndJoin() }
            setter.isSet() shouldBe false
        }

        behaviour("a signal that nobody can receive is refused before it is lost") {
            val event = event { maxSignals = 2 }
            repeat(2) { event.set() }
            val failure = shouldThrow<EventFullException> { event.set() }
            failure.event shouldBe "done"
            failure.maxSignals shouldBe 2
            failure.message shouldContain "keeps 2 signals"
            event.drain() shouldBe 2
            event.set()
            event.drain() shouldBe 1
        }

        behaviour("signals expire if that was asked for, those of others not") {
            val mortal = event { signalTtl = 60.milliseconds }
            val kept = event()
            mortal.set()
            kept.set()
            mortal.set()
            eventually(PATIENCE) {
                kept.snapshotPermits() shouldBe 1
            }
            kept.drain() shouldBe 1
        }

        behaviour("kept signals outlive their clients and the retention of everything else", Ability.FORGETTING) {
            val brief = client {
                lease = 1.seconds
                retention = 1.seconds
            }
            brief.event("done").set()
            brief.semaphore("gone", permits = 1).resize(2)
            brief.closeAndJoin()
            // A semaphore of the same age tells when everything else would be gone.
            eventually(PATIENCE) { store.knows("gone") shouldBe false }
            val later = event()
            later.isSet() shouldBe true
            later.await()
            later.isSet() shouldBe false
        }

        behaviour("an event without signals is forgotten one retention after its last client", Ability.FORGETTING) {
            val brief = client {
                lease = 1.seconds
                retention = 1.seconds
            }
            brief.event("forgotten").run {
                set()
                await()
            }
            brief.closeAndJoin()
            eventually(PATIENCE) { store.knows("forgotten") shouldBe false }
        }

        behaviour("what was awaited before close() stays consumed") {
            repeat(20) {
                val closing = client()
                val event = closing.event("done")
                event.set()
                event.await()
                closing.closeAndJoin()
            }
            event().isSet() shouldBe false
        }

        behaviour("closing the client ends waiting, and leaves signals to others") {
            val closing = client()
            val event = closing.event("done")
            val waiting = start { runCatching { event.await() }.exceptionOrNull() }
            event().awaitWaiting(1)
            closing.closeAndJoin()
            (waiting.await() is SignalboxClosedException).shouldBeTrue()
            shouldThrow<SignalboxClosedException> { event.set() }
            val other = event()
            other.set()
            other.drain() shouldBe 1
        }

        behaviour("a client has one handle per name, with one kind of settings") {
            val client = client()
            client.event("done") shouldBeSameInstanceAs client.event("done")
            shouldThrow<IllegalArgumentException> { client.event("done") { maxSignals = 3 } }.message shouldContain "one handle per name"
        }

        behaviour("bad settings and arguments are refused by name and value", Ability.KOTLIN_SETTINGS) {
            val client = client()
            for ((configure, shown) in listOf<Pair<EventSettings.() -> Unit, String>>(
                Pair({ maxSignals = 0 }, "maxSignals must be from 1 to 1000000, but was 0"),
                Pair({ maxSignals = 1_000_001 }, "maxSignals"),
                Pair({ signalTtl = Duration.ZERO }, "signalTtl must be longer than zero, but was 0s"),
                Pair({ signalTtl = (-1).seconds }, "signalTtl"),
            )) {
                shouldThrow<IllegalArgumentException> { client.event("done", configure) }.message shouldContain shown
            }
            shouldThrow<IllegalArgumentException> { client.event("a{b") }.message shouldContain "name of an event"
            shouldThrow<IllegalArgumentException> { client.event(" ") }.message shouldContain "blank"
            shouldThrow<IllegalArgumentException> { client.mutex("") }.message shouldContain "name of a mutex"
            store.knows("done") shouldBe false
            shouldThrow<IllegalArgumentException> { client.event("done").await((-1).seconds) }.message shouldContain "-1s"
        }
    }
}
