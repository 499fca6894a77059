package io.signalbox.internal

import io.lettuce.core.RedisClient
import io.lettuce.core.RedisURI
import io.signalbox.AfterDataLoss
import io.signalbox.InMemoryStore
import io.signalbox.Semaphore
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.SemaphoreNotFoundException
import io.signalbox.SemaphoreSettings
import io.signalbox.Signalbox
import io.signalbox.SignalboxClosedException
import io.signalbox.SignalboxSettings
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.Coordinator
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.MAX_HOLD
import io.signalbox.internal.coordination.NanoClock
import io.signalbox.internal.coordination.SemaphoreCoordinator
import io.signalbox.internal.coordination.requireLabel
import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.coordination.requireTimeout
import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.memory.MemoryLedger
import io.signalbox.internal.pool.PoolSemaphore
import io.signalbox.internal.pool.Pools
import io.signalbox.internal.redis.RedisConnections
import io.signalbox.internal.redis.RedisLedger
import io.signalbox.internal.redis.Scripts
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.Executors
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull

/**
 * The one [Signalbox]: keeps one handle per name and ends everything when it is closed.
 *
 * Owns [scope], in which the coordinators' heartbeats and reopenings, limits of holds and the goodbye run.
 */
internal class DefaultSignalbox(
    private val ledger: Ledger,
    private val client: ClientIdentity,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
    private val scope: CoroutineScope,
    /** Where pools are; without, they are kept in [poolLedger]. */
    private val pools: Pools?,
    private val poolLedger: Ledger?,
    private val release: suspend () -> Unit,
) : Signalbox {
    private class Slot {
        val creation = Mutex()

        @Volatile
        var handle: Handle? = null
    }

    /** [attached] until somebody names the count. */
    private class Handle(
        val semaphore: Semaphore,
        val coordinator: Coordinator,
        val settings: SemaphoreSettings,
        var attached: Boolean,
    )

    private val slots = ConcurrentHashMap<String, Slot>()
    private val closing = Job()
    private val ended = Job()

    override suspend fun semaphore(
        name: String,
        permits: Int,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore {
        val wanted = SemaphoreSettings().apply(configure)
        DefaultSemaphore.requireCount(permits, countsOf(wanted.algorithm))
        return untilClosed { handle(name, permits, wanted)!! }
    }

    override suspend fun attach(
        name: String,
        timeout: Duration,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore {
        requireTimeout(timeout)
        val wanted = SemaphoreSettings().apply(configure)
        var pause = 10.milliseconds
        val found =
            untilClosed {
                handle(name, ATTACHED, wanted) ?: withTimeoutOrNull(timeout) {
                    var handle: Semaphore? = null
                    while (handle == null) {
                        delay(pause * Random.nextDouble(0.5, 1.0))
                        pause = minOf(pause * 2, 1.seconds)
                        handle = handle(name, ATTACHED, wanted)
                    }
                    handle
                }
            }
        return found ?: throw SemaphoreNotFoundException(
            name,
            "Semaphore '$name' was not created by anybody within $timeout. attach() never creates it: start the process that calls " +
                "semaphore(\"$name\", permits), check that name and namespace are the same, or wait longer.",
        )
    }

    private suspend fun handle(
        name: String,
        declared: Int,
        wanted: SemaphoreSettings,
    ): Semaphore? {
        requireName("name of a semaphore", name, MAX_NAME_BYTES)
        val holdMillis = if (wanted.maxHold == Duration.INFINITE) -1 else wholeMillis("maxHold", wanted.maxHold, MAX_HOLD)
        if (wanted.acquireTimeout != Duration.INFINITE) wholeMillis("acquireTimeout", wanted.acquireTimeout, Duration.INFINITE)
        val handle = HandleSettings(declared, wanted.bounded, wanted.afterDataLoss == AfterDataLoss.QUARANTINE, holdMillis)
        val slot = slots.computeIfAbsent(name) { Slot() }
        return slot.creation.withLock {
            val known = slot.handle
            if (known != null) return@withLock rejoin(name, known, handle, wanted)
            val joined = join(name, handle, wanted) ?: return@withLock null
            val (semaphore, coordinator) = joined
            slot.handle = Handle(semaphore, coordinator, wanted, attached = declared == ATTACHED)
            if (closing.isCompleted) coordinator.close()
            checkOpen()
            semaphore
        }
    }

    /** Creates or joins; `null` if there is nothing to join. */
    private suspend fun join(
        name: String,
        handle: HandleSettings,
        wanted: SemaphoreSettings,
    ): Pair<Semaphore, Coordinator>? {
        val algorithm = wanted.algorithm
        if (algorithm is SemaphoreAlgorithm.Pool && pools != null) {
            val coordinator = pools.join(name, handle, algorithm.initStrategy) ?: return null
            return PoolSemaphore(coordinator, wanted.acquireTimeout, untilClosed) to coordinator
        }
        val ledger = if (algorithm is SemaphoreAlgorithm.Pool) poolLedger!! else ledger
        val coordinator = SemaphoreCoordinator(name, ledger, client, settings, clock, scope)
        if (!coordinator.join(handle)) return null
        val semaphore =
            DefaultSemaphore(coordinator, wanted.acquireTimeout, countsOf(algorithm).last) { limit ->
                untilClosed { coordinator.retrying { ledger.snapshot(name, limit) } }
            }
        return semaphore to coordinator
    }

    private fun countsOf(algorithm: SemaphoreAlgorithm): IntRange =
        if (algorithm is SemaphoreAlgorithm.Pool) 1..SemaphoreAlgorithm.Pool.MAX_PERMITS else 0..Semaphore.MAX_PERMITS

    private val untilClosed =
        object : PoolSemaphore.Guard {
            override suspend fun <T> run(request: suspend () -> T): T = untilClosed(request)
        }

    private fun rejoin(
        name: String,
        known: Handle,
        wanted: HandleSettings,
        settings: SemaphoreSettings,
    ): Semaphore {
        val attaching = wanted.declared == ATTACHED
        val same =
            known.settings.algorithm::class == settings.algorithm::class &&
                known.settings.maxHold == settings.maxHold &&
                known.settings.acquireTimeout == settings.acquireTimeout &&
                (attaching || known.attached || known.settings.afterDataLoss == settings.afterDataLoss)
        require(same) {
            "Semaphore '$name' is already in use in this client with ${known.settings}, and now asked for with $settings. A client has " +
                "one handle per name: give the same settings."
        }
        if (!attaching) {
            known.coordinator.declare(wanted)
            known.attached = false
        }
        return known.semaphore
    }

    /** Runs [request], which only asks the store; closing the client ends it. */
    private suspend fun <T> untilClosed(request: suspend () -> T): T =
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

    override fun close() {
        startClosing()
    }

    override suspend fun closeAndJoin() {
        startClosing()
        withTimeoutOrNull(settings.storeTimeoutMillis.milliseconds) { ended.join() }
    }

    private fun startClosing() {
        if (!closing.complete()) return
        val coordinators = slots.values.mapNotNull { it.handle?.coordinator }
        coordinators.forEach { it.close() }
        // Not a child of the scope it ends.
        CoroutineScope(scope.coroutineContext + Job()).launch {
            withTimeoutOrNull(settings.storeTimeoutMillis.milliseconds) { coordinators.forEach { it.awaitFarewell() } }
            scope.cancel()
            pools?.close()
            withTimeoutOrNull(settings.storeTimeoutMillis.milliseconds) { ledger.close() }
            ended.complete()
            release()
        }
    }

    override fun toString(): String = "Signalbox(client=${client.id.take(ClientIdentity.PUBLIC_LENGTH)}, label=${settings.label})"

    companion object {
        private const val ATTACHED = -1
        private const val MAX_NAME_BYTES = 256
        private const val MAX_NAMESPACE_BYTES = 64

        fun connect(
            uri: String,
            settings: SignalboxSettings,
        ): Signalbox = redis(settings) { RedisConnections.own(parse(uri)) }

        fun over(
            client: RedisClient,
            settings: SignalboxSettings,
        ): Signalbox = redis(settings) { RedisConnections.borrowed(client) }

        fun redis(
            settings: SignalboxSettings,
            scripts: Scripts = Scripts.production,
            connections: () -> RedisConnections,
        ): Signalbox {
            val checked = checked(settings)
            val client = ClientIdentity()
            // One thread of its own: no user code runs on it, so nothing can keep a heartbeat from its time.
            val timer = Executors.newSingleThreadScheduledExecutor { Thread(it, "signalbox-timer").apply { isDaemon = true } }
            val scope = CoroutineScope(SupervisorJob() + timer.asCoroutineDispatcher())
            val patience = checked.patienceNanos.nanoseconds
            val lines = connections()
            val ledger =
                RedisLedger(
                    lines,
                    scripts,
                    client,
                    settings.namespace,
                    settings.announceInScript,
                    checked.retentionMillis,
                    patience,
                    scope,
                )
            val pools = Pools(lines, settings.namespace, client, checked, System::nanoTime, scope)
            return DefaultSignalbox(ledger, client, checked, System::nanoTime, scope, pools, null) { timer.shutdown() }
        }

        fun inMemory(
            store: InMemoryStore,
            outer: CoroutineScope?,
            settings: SignalboxSettings,
        ): Signalbox {
            val checked = checked(settings)
            val context = outer?.coroutineContext ?: Dispatchers.Default
            val scope = CoroutineScope(context + SupervisorJob(outer?.coroutineContext?.get(Job)))
            val origin: TimeSource.WithComparableMarks = store.timeSource
            val start = origin.markNow()
            val ledger = MemoryLedger(store.ledgers, settings.namespace, scope)
            val pools = MemoryLedger(store.ledgers, settings.namespace, scope, kind = "pool")
            return DefaultSignalbox(ledger, ClientIdentity(), checked, { start.elapsedNow().inWholeNanoseconds }, scope, null, pools) {}
        }

        private fun checked(settings: SignalboxSettings): CoordinationSettings {
            requireName("namespace", settings.namespace, MAX_NAMESPACE_BYTES)
            return CoordinationSettings(
                label = requireLabel(settings.label),
                leaseMillis = wholeMillis("lease", settings.lease, 1.days, least = 100.milliseconds),
                retentionMillis = wholeMillis("retention", settings.retention, MAX_HOLD, least = 1.seconds),
                storeTimeoutMillis = wholeMillis("storeTimeout", settings.storeTimeout, MAX_HOLD, least = 10.milliseconds),
            )
        }

        /** The text of the original exception may repeat the URI, password included. */
        private fun parse(uri: String): RedisURI =
            try {
                RedisURI.create(uri)
            } catch (_: IllegalArgumentException) {
                throw IllegalArgumentException(
                    "The Redis URI cannot be read. Expected redis://[[user:]password@]host[:port][/database], or rediss:// for TLS.",
                )
            }
    }
}
