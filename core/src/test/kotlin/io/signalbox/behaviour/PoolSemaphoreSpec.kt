package io.signalbox.behaviour

import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.signalbox.InitStrategy
import io.signalbox.Semaphore
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.SemaphoreSettings
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration

/** The pool algorithm, the clients taking turns with the strategies of creating. */
class PoolSemaphoreSpec : SemaphoreBehaviour(RedisPool) {
    init {
        test("a pool does what a queue does, except for exactly this") {
            leftOut shouldContainExactlyInAnyOrder listOf(
                // Order across clients, and the view on waiters of other clients.
                "a lazy handle with a declaration of its own joins as a known one of the same client would",
                "acquires of several clients are granted in the order in which they were made",
                "who comes last waits behind those of other clients, however often permits change hands",
                "a place in the queue that is given up delays nobody behind it",
                "several permits at the head of the queue hold back fewer behind them",
                "one release serves as many waiters as fit",
                "a snapshot lists the queue of all clients from its head on",
                "grants are what was handed out: who gave up in time is not among them",
                "trying does not jump the queue, be it of the same client or of another",
                "growing is seen by every client and serves the queue at once",
                "after one lease it grants, first come, first served",
                // Orders.
                "a revoked permit is lost, its block says by whom, and somebody else is granted it",
                "revoking reaches permits with a limit, and several in one grant, and nothing that nobody holds",
                "who does not obey in time loses what it holds all the same",
                "deleting ends it for holders and waiters of all clients, and the next use begins anew with larger tokens",
                "deleting what is not used any more leaves nothing that counts",
                // Minimum holds.
                "a permit given back too soon is nobody's until its minimum hold is over, and goes to the next in the queue then",
                "it is kept when its client is closed behind the release, and who comes later waits for it as well",
                "closing a client that holds it keeps it as a release does",
                "while it is kept nobody is granted it, and a snapshot tells who had it",
                "revoking frees at once what is kept, and keeps nothing of what is held",
                "deleting ends what is kept",
                "a permit held for longer than its minimum is free at once",
                "a minimum and a max hold go together: what is lost at its end is free then, and what is given back before is not",
                "the end of a block waits for no minimum",
                "an acquire that gives up in the queue keeps nothing",
                "a minimum that is negative, infinite, or longer than the max hold is refused by name and value",
                // 1 to 4096 permits.
                "at a gate of no permits one may wait, two can never pass",
                "with no permits it is a gate that a resize opens",
                "adding permits raises the count for everybody, returns it, and serves the queue",
                "the count does not grow beyond the maximum",
                "the largest size works",
            )
        }
    }
}

internal object RedisPool : Pooled(Redis())

/** What [backend] has, its semaphores as pools. */
internal open class Pooled(
    private val backend: Backend,
) : Backend by backend {
    override val lacks = setOf(Ability.SHARED_QUEUE, Ability.ANY_COUNT, Ability.ORDERS, Ability.MINIMUM_HOLDS)

    override fun emptyStore(): Store {
        val queues = backend.emptyStore()
        return object : Store by queues {
            private val handles = ConcurrentHashMap.newKeySet<Semaphore>()
            private val clients = AtomicInteger()

            override fun connect(configure: SignalboxSettings.() -> Unit): Signalbox {
                val strategies = InitStrategy.entries
                return PoolClient(queues.connect(configure), strategies[clients.getAndIncrement() % strategies.size], handles)
            }

            /** Each client knows its own waiters only. */
            override suspend fun queueLength(semaphore: Semaphore): Int =
                handles.filter { it.name == semaphore.name }.sumOf { runCatching { it.snapshot().queueLength }.getOrDefault(0) }
        }
    }
}

/** A client whose semaphores are pools, and known to the test. */
private class PoolClient(
    private val client: Signalbox,
    private val strategy: InitStrategy,
    private val handles: MutableSet<Semaphore>,
) : Signalbox by client {
    override suspend fun semaphore(
        name: String,
        permits: Int,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore = client.semaphore(name, permits) { pool(configure) }.also { handles += it }

    override fun lazySemaphore(
        name: String,
        permits: Int,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore = client.lazySemaphore(name, permits) { pool(configure) }.also { handles += it }

    override suspend fun attach(
        name: String,
        timeout: Duration,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore = client.attach(name, timeout) { pool(configure) }.also { handles += it }

    private fun SemaphoreSettings.pool(configure: SemaphoreSettings.() -> Unit) {
        algorithm = SemaphoreAlgorithm.Pool(strategy)
        configure()
    }
}
