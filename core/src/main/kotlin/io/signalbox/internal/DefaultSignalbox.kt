package io.signalbox.internal

import io.signalbox.ConnectionState
import io.signalbox.Event
import io.signalbox.EventSettings
import io.signalbox.HandleUsage
import io.signalbox.InitStrategy
import io.signalbox.Mutex
import io.signalbox.MutexSettings
import io.signalbox.Observation
import io.signalbox.Semaphore
import io.signalbox.SemaphoreNotFoundException
import io.signalbox.SemaphoreSettings
import io.signalbox.SemaphoreSnapshot
import io.signalbox.SemaphoreStatistics
import io.signalbox.Signalbox
import io.signalbox.SignalboxClosedException
import io.signalbox.SignalboxListener
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.coordination.Coordinator
import io.signalbox.internal.coordination.Engaged
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.SemaphoreCoordinator
import io.signalbox.internal.coordination.requireTimeout
import io.signalbox.internal.coordination.retrying
import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.pool.PoolCoordinator
import io.signalbox.internal.pool.Pools
import io.signalbox.internal.redis.Confirmations
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.Executor
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.channels.BufferOverflow
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.isActive
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/** The one [Signalbox]: where handles come from, and what ends them all when it is closed. */
internal class DefaultSignalbox(
    private val ledger: Ledger,
    override val backend: SignalboxBackend,
    val observers: Observers,
    /** Where pools are, if the ledger does not keep them. */
    val pools: Pools?,
    /** Where coroutines go on that have no dispatcher of their own and must not go on where they are resumed. */
    private val elsewhere: Executor,
    private val states: ConnectionStates,
    /** How many may be pending over all handles, if that is limited. */
    val bound: WaiterBound?,
    /** Where grants have to be confirmed, if they have to. */
    private val confirmations: Confirmations? = null,
) : Signalbox,
    BackendOwner {
    private val settings = backend.settings
    private val scope = backend.scope
    val leaseMillis: Long get() = settings.leaseMillis
    private val semaphores = SemaphoreHandles(this)
    private val mutexes = MutexHandles(this)
    private val events = EventHandles(this)
    private val statistics = Statistics(ledger, pools, settings)
    private val engaged = Engaged()
    private val keeper = Keeper(ledger, settings, scope) { handled.map { it.subject }.filter { it.kind != Kind.POOL || pools == null } }
    private val parts: MutableSet<ClosesWithClient> = ConcurrentHashMap.newKeySet()
    private val closing = Job()
    private val ended = Job()

    @Volatile
    private var processEnd: ProcessEnd? = null

    /** What somebody has a handle of. */
    private val handled: List<Coordinator> get() = semaphores.coordinators + mutexes.coordinators + events.coordinators

    /** What ends with this client. */
    private val all: Set<ClosesWithClient> get() = (parts + engaged.all + pools?.all.orEmpty() + handled).toSet()

    init {
        pools?.handled = { semaphores.coordinators.filterIsInstance<PoolCoordinator>() }
        // Cancelled by whoever owns it, in memory: a crash. Nothing is said to anybody any more, and every call ends.
        scope.coroutineContext.job.invokeOnCompletion {
            if (closing.complete()) {
                states.become(ConnectionState.CLOSED)
                all.forEach { it.close() }
                ended.complete()
            }
        }
    }

    override suspend fun semaphore(
        name: String,
        permits: Int,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore {
        val wanted = SemaphoreSettings().apply(configure)
        DefaultSemaphore.requireCount(permits, SemaphoreHandles.countsOf(wanted.algorithm))
        return untilClosed { semaphores.handle(name, permits, wanted)!! }
    }

    override suspend fun attach(
        name: String,
        timeout: Duration,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore {
        requireTimeout(timeout)
        val wanted = SemaphoreSettings().apply(configure)
        val found = untilClosed { attachWithin(timeout) { semaphores.handle(name, SemaphoreHandles.ATTACHED, wanted) } }
        return found ?: throw SemaphoreNotFoundException(
            name,
            "Semaphore '$name' was not created by anybody within $timeout. attach() never creates it: start the process that calls " +
                "semaphore(\"$name\", permits), check that name and namespace are the same, or wait longer.",
        )
    }

    override suspend fun mutex(
        name: String,
        configure: MutexSettings.() -> Unit,
    ): Mutex = untilClosed { mutexes.handle(name, MutexSettings().apply(configure)) }

    override suspend fun event(
        name: String,
        configure: EventSettings.() -> Unit,
    ): Event = untilClosed { events.handle(name, EventSettings().apply(configure)) }

    override fun lazySemaphore(
        name: String,
        permits: Int,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore {
        val wanted = SemaphoreSettings().apply(configure)
        DefaultSemaphore.requireCount(permits, SemaphoreHandles.countsOf(wanted.algorithm))
        return semaphores.lazily(name, permits, wanted)
    }

    override fun lazyMutex(
        name: String,
        configure: MutexSettings.() -> Unit,
    ): Mutex = mutexes.lazily(name, MutexSettings().apply(configure))

    override fun lazyEvent(
        name: String,
        configure: EventSettings.() -> Unit,
    ): Event = events.lazily(name, EventSettings().apply(configure))

    override val state: StateFlow<ConnectionState> get() = states.flow

    override suspend fun ping(timeout: Duration?): Duration =
        untilClosed {
            val limit = timeout?.also { wholeMillis("timeout", it, Duration.INFINITE) } ?: settings.storeTimeoutMillis.milliseconds
            val unavailable = { last: Throwable? ->
                StoreUnavailableException("The store did not answer within $limit. Last problem: ${last.inWords()}", last)
            }
            settings.retrying(unavailable, limit) {
                val sentAt = backend.clock.nanos()
                ledger.ping()
                (backend.clock.nanos() - sentAt).nanoseconds
            }
        }

    override fun usage(): List<HandleUsage> =
        (handled + engaged.all).distinct().map { coordinator ->
            val usage = coordinator.usage()
            HandleUsage(coordinator.subject.kind.observed, coordinator.subject.name, usage.held, usage.waiting)
        }

    override suspend fun statistics(
        names: Collection<String>?,
        limit: Int,
    ): List<SemaphoreStatistics> = untilClosed { statistics.read(names, limit) }

    override fun addListener(listener: SignalboxListener): DisposableHandle = observers.add(listener)

    override fun observations(): Flow<Observation> =
        flow {
            // Registered before the collector first suspends, so that it misses nothing from then on.
            val heard = Channel<Observation>(OBSERVATIONS, BufferOverflow.DROP_OLDEST)
            val registration = observers.add(Forwarding { heard.trySend(it) })
            try {
                for (observation in heard) emit(observation)
            } finally {
                registration.dispose()
            }
        }

    private class Forwarding(
        private val send: (Observation) -> Unit,
    ) : SignalboxListener {
        override fun onGranted(granted: Observation.Granted) = send(granted)

        override fun onReleased(released: Observation.Released) = send(released)

        override fun onLost(lost: Observation.Lost) = send(lost)

        override fun onTimedOut(timedOut: Observation.TimedOut) = send(timedOut)

        override fun onRefused(refused: Observation.Refused) = send(refused)

        override fun onHeldLong(heldLong: Observation.HeldLong) = send(heldLong)

        override fun onDisconnected(disconnected: Observation.Disconnected) = send(disconnected)

        override fun onReconnected(reconnected: Observation.Reconnected) = send(reconnected)
    }

    /** Asks at once, and again with growing pauses. */
    private suspend fun <T : Any> attachWithin(
        timeout: Duration,
        attempt: suspend () -> T?,
    ): T? =
        attempt() ?: settings.time.limited(timeout) {
            var pause = 10.milliseconds
            var found: T? = null
            while (found == null) {
                delay(pause * Random.nextDouble(0.5, 1.0))
                pause = minOf(pause * 2, 1.seconds)
                found = attempt()
            }
            found
        }

    // ---- for the handles ---------------------------------------------------------------------------------------------------

    /** A coordinator that has joined and ends with this client; `null` if there is nothing to join. */
    suspend fun coordinator(
        name: LedgerName,
        wanted: HandleSettings,
    ): SemaphoreCoordinator? {
        val coordinator = newCoordinator(name)
        ledger.prepare()
        if (!coordinator.join(wanted)) return null
        // Either the goodbye finds it among the engaged, or this finds that it has begun.
        if (closing.isCompleted) coordinator.close()
        checkOpen()
        keeper.start()
        return coordinator
    }

    /** The same, of a pool. */
    suspend fun pool(
        of: Pools,
        name: String,
        wanted: HandleSettings,
        strategy: InitStrategy,
    ): PoolCoordinator? {
        val coordinator = of.join(name, wanted, strategy) ?: return null
        if (closing.isCompleted) coordinator.close()
        checkOpen()
        return coordinator
    }

    /** One that joins with its first use. */
    fun lazyCoordinator(
        name: LedgerName,
        wanted: HandleSettings,
    ): SemaphoreCoordinator {
        checkOpen()
        val coordinator = newCoordinator(name)
        coordinator.joinLater(wanted)
        if (closing.isCompleted) coordinator.close()
        checkOpen()
        keeper.start()
        return coordinator
    }

    private fun newCoordinator(name: LedgerName) =
        SemaphoreCoordinator(name, ledger, backend.client, settings, backend.clock, scope, observers, elsewhere, engaged)

    /** What an acquire of [name] waits for before it returns; `null` if for nothing. */
    fun confirming(name: String): (suspend () -> Unit)? =
        confirmations?.let { confirmations -> { untilClosed { settings.time.run { confirmations.confirm(name) } } } }

    suspend fun snapshot(
        of: SemaphoreCoordinator,
        limit: Int,
    ): SemaphoreSnapshot? =
        untilClosed {
            // A question of its own, and not in an exchange: what was given back before it has to be there.
            of.sayAll()
            of.retrying { ledger.snapshot(of.subject, limit) }
        }

    // ---- the end -----------------------------------------------------------------------------------------------------------

    override suspend fun <T> untilClosed(request: suspend () -> T): T =
        try {
            checkOpen()
            coroutineScope {
                val registration = closing.invokeOnCompletion { cancel() }
                try {
                    request()
                } finally {
                    registration.dispose()
                }
            }
        } catch (cancelled: CancellationException) {
            currentCoroutineContext().ensureActive()
            checkOpen()
            throw cancelled
        }

    private fun checkOpen() {
        val isClosed = closing.isCompleted || !scope.isActive
        if (isClosed) throw SignalboxClosedException("This client was closed. Make a new one with Signalbox.connect().")
    }

    override fun closeWithClient(part: ClosesWithClient) {
        parts.add(part)
        // Either the goodbye finds it among the parts, or this finds that it has begun.
        if (closing.isCompleted) part.close()
        checkOpen()
    }

    override fun close() {
        startClosing()
        if (!InsideClient.isInside(backend)) processEnd?.awaitIfEnding()
    }

    override suspend fun closeAndJoin() {
        startClosing()
        if (InsideClient.isInside(backend)) return
        withTimeoutOrNull(patience()) { ended.join() }
    }

    private fun patience(): Duration = settings.storeTimeoutMillis.milliseconds + (parts.maxOfOrNull { it.patience } ?: Duration.ZERO)

    private fun startClosing() {
        if (!closing.complete()) return
        states.become(ConnectionState.CLOSED)
        // In memory nothing is left that could outlive the process.
        if (backend.store is SignalboxBackend.Store.Redis) processEnd = ProcessEnd(ended, patience())
        val ending = all
        ending.forEach { it.close() }
        // Not a child of the scope it ends.
        CoroutineScope(scope.coroutineContext + Job()).launch {
            coroutineScope {
                for (part in ending) {
                    launch { withTimeoutOrNull(settings.storeTimeoutMillis.milliseconds + part.patience) { part.awaitFarewell() } }
                }
            }
            scope.cancel()
            pools?.close()
            withTimeoutOrNull(settings.storeTimeoutMillis.milliseconds) { ledger.close() }
            ended.complete()
            backend.release()
        }
    }

    private companion object {
        const val OBSERVATIONS = 4096
    }

    override fun toString(): String = "Signalbox(client=${backend.client.id.take(ClientIdentity.PUBLIC_LENGTH)}, label=${settings.label})"
}
