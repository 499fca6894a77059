package io.signalbox.internal

import io.signalbox.Event
import io.signalbox.EventSettings
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
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.SemaphoreCoordinator
import io.signalbox.internal.coordination.requireTimeout
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.pool.Pools
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.Executor
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
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
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/** The one [Signalbox]: where handles come from, and what ends them all when it is closed. */
internal class DefaultSignalbox(
    private val ledger: Ledger,
    override val backend: SignalboxBackend,
    private val observers: Observers,
    /** Where pools are, if the ledger does not keep them. */
    val pools: Pools?,
    /** Where coroutines go on that have no dispatcher of their own and must not go on where they are resumed. */
    private val elsewhere: Executor,
) : Signalbox,
    BackendOwner {
    private val settings = backend.settings
    private val scope = backend.scope
    private val semaphores = SemaphoreHandles(this)
    private val mutexes = MutexHandles(this)
    private val events = EventHandles(this)
    private val statistics = Statistics(ledger, pools, settings)
    private val parts: MutableSet<ClosesWithClient> = ConcurrentHashMap.newKeySet()
    private val closing = Job()
    private val ended = Job()

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

        override fun onReconnected(reconnected: Observation.Reconnected) = send(reconnected)
    }

    /** Asks at once, and again with growing pauses. */
    private suspend fun <T : Any> attachWithin(
        timeout: Duration,
        attempt: suspend () -> T?,
    ): T? =
        attempt() ?: withTimeoutOrNull(timeout) {
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
        val coordinator = SemaphoreCoordinator(name, ledger, backend.client, settings, backend.clock, scope, observers, elsewhere)
        if (!coordinator.join(wanted)) return null
        closeWithClient(coordinator)
        return coordinator
    }

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

    /** Runs [request], which only asks the store; closing the client ends it. */
    suspend fun <T> untilClosed(request: suspend () -> T): T =
        try {
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
        if (closing.isCompleted) throw SignalboxClosedException("This client was closed. Make a new one with Signalbox.connect().")
    }

    override fun closeWithClient(part: ClosesWithClient) {
        parts.add(part)
        // Either the goodbye finds it among the parts, or this finds that it has begun.
        if (closing.isCompleted) part.close()
        checkOpen()
    }

    override fun close() {
        startClosing()
    }

    override suspend fun closeAndJoin() {
        startClosing()
        if (InsideClient.isInside(backend)) return
        val patience = parts.maxOfOrNull { it.patience } ?: Duration.ZERO
        withTimeoutOrNull(settings.storeTimeoutMillis.milliseconds + patience) { ended.join() }
    }

    private fun startClosing() {
        if (!closing.complete()) return
        val ending = parts.toList()
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
