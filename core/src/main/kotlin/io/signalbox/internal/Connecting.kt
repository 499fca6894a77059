package io.signalbox.internal

import io.lettuce.core.RedisURI
import io.signalbox.InMemoryStore
import io.signalbox.Observation
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.MAX_HOLD
import io.signalbox.internal.coordination.requireLabel
import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.memory.MemoryLedger
import io.signalbox.internal.pool.Pools
import io.signalbox.internal.redis.Announcements
import io.signalbox.internal.redis.Keys
import io.signalbox.internal.redis.RedisConnections
import io.signalbox.internal.redis.RedisLedger
import io.signalbox.internal.redis.RedisLine
import io.signalbox.internal.redis.Scripts
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.asExecutor

/** Makes clients: checks their settings and puts their parts together. */
internal object Connecting {
    private const val MAX_NAMESPACE_BYTES = 64

    fun redis(
        settings: SignalboxSettings,
        scripts: Scripts = Scripts.production,
        connections: () -> RedisConnections,
    ): Signalbox {
        val checked = checked(settings)
        val client = ClientIdentity()
        val opened = connections()
        // One thread of its own: no user code runs on it, so nothing can keep a heartbeat from its time.
        val timer = Executors.newSingleThreadScheduledExecutor { Thread(it, "signalbox-timer").apply { isDaemon = true } }
        val scope = CoroutineScope(SupervisorJob() + timer.asCoroutineDispatcher())
        val keys = Keys(settings.namespace)
        val announcements = Announcements(opened, { epoch -> keys.inbox(client.id, epoch) }, scope)
        val line = RedisLine(opened, checked.patienceNanos.nanoseconds, scope, announcements)
        val ledger = RedisLedger(
            line,
            scripts,
            keys,
            settings.announceInScript,
            checked.retentionMillis,
            maxOf(
                checked.retentionMillis,
                3 * checked.leaseMillis,
            ),
            scope,
        )
        val observers = Observers()
        opened.onReconnected = { observers.tell(Observation.Reconnected(blocking = false)) }
        announcements.onReconnected = { observers.tell(Observation.Reconnected(blocking = true)) }
        val store = SignalboxBackend.Store.Redis(line, settings.announceInScript)
        val backend = SignalboxBackend(store, settings.namespace, client, checked, System::nanoTime, scope) { timer.shutdown() }
        val pools = Pools(opened, settings.namespace, client, checked, System::nanoTime, scope, observers)
        return DefaultSignalbox(ledger, backend, observers, pools, executorOf(Dispatchers.Default))
    }

    fun inMemory(
        store: InMemoryStore,
        outer: CoroutineScope?,
        settings: SignalboxSettings,
    ): Signalbox {
        val checked = checked(settings)
        val context = outer?.coroutineContext ?: Dispatchers.Default
        val scope = CoroutineScope(context + SupervisorJob(outer?.coroutineContext?.get(Job)))
        val start = store.timeSource.markNow()
        val clock = { start.elapsedNow().inWholeNanoseconds }
        val kept = SignalboxBackend.Store.Memory(store)
        val backend = SignalboxBackend(kept, settings.namespace, ClientIdentity(), checked, clock, scope) {}
        return DefaultSignalbox(MemoryLedger(store.ledgers, settings.namespace, scope), backend, Observers(), pools = null, executorOf(context))
    }

    private fun executorOf(context: CoroutineContext): Executor =
        (context[ContinuationInterceptor] as? CoroutineDispatcher ?: Dispatchers.Default).asExecutor()

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
    fun parse(uri: String): RedisURI =
        try {
            RedisURI.create(uri)
        } catch (_: IllegalArgumentException) {
            throw IllegalArgumentException(
                "The Redis URI cannot be read. Expected redis://[[user:]password@]host[:port][/database], or rediss:// for TLS.",
            )
        }
}
