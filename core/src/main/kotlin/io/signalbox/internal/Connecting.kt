package io.signalbox.internal

import io.signalbox.ConnectionState
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
import io.signalbox.internal.redis.ClusterDriver
import io.signalbox.internal.redis.ClusterNodes
import io.signalbox.internal.redis.Confirmations
import io.signalbox.internal.redis.Keys
import io.signalbox.internal.redis.Node
import io.signalbox.internal.redis.Nodes
import io.signalbox.internal.redis.RedisConnections
import io.signalbox.internal.redis.RedisLedger
import io.signalbox.internal.redis.RedisLine
import io.signalbox.internal.redis.Scripts
import io.signalbox.internal.redis.SingleNode
import java.util.concurrent.Executor
import java.util.concurrent.ScheduledThreadPoolExecutor
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
import kotlinx.coroutines.isActive
import org.slf4j.LoggerFactory

/** Makes clients: checks their settings and puts their parts together. */
internal object Connecting {
    private const val MAX_NAMESPACE_BYTES = 64

    fun redis(
        settings: SignalboxSettings,
        scripts: Scripts = Scripts.production,
        connections: () -> RedisConnections,
    ): Signalbox =
        connected(settings, scripts) { checked, scope ->
            val opened = connections().apply { patienceNanos = checked.patienceNanos }
            SingleNode(Node(opened, patience(checked), scope))
        }

    fun cluster(
        settings: SignalboxSettings,
        scripts: Scripts = Scripts.production,
        driver: () -> ClusterDriver,
    ): Signalbox =
        connected(settings, scripts) { checked, scope -> ClusterNodes(driver(), patience(checked), checked.patienceNanos, scope) }

    private fun patience(checked: CoordinationSettings) = minOf(checked.patienceNanos, checked.storeTimeoutNanos).nanoseconds

    private fun connected(
        settings: SignalboxSettings,
        scripts: Scripts,
        nodesOf: (CoordinationSettings, CoroutineScope) -> Nodes,
    ): Signalbox {
        Requirements.check()
        val checked = checked(settings, ClientTime.REAL)
        val bound = WaiterBounds.ofClient(settings.maxWaiters)
        val client = ClientIdentity()
        // One thread of its own: no user code runs on it, so nothing can keep a heartbeat from its time.
        val timer = ScheduledThreadPoolExecutor(1) { ownThread("signalbox-timer", isDaemon = true, it) }
        // Else what was cancelled stays until its time has come: a max hold of hours for each permit.
        timer.removeOnCancelPolicy = true
        val scope = CoroutineScope(SupervisorJob() + timer.asCoroutineDispatcher())
        val nodes = nodesOf(checked, scope)
        // The inbox of another client is anywhere in a cluster.
        val announceInScript = settings.announceInScript && !nodes.isCluster
        val keys = Keys(settings.namespace)
        val announcements = Announcements(nodes, { epoch -> keys.inbox(client.id, epoch) }, scope)
        val line = RedisLine(nodes, patience(checked), announcements)
        val ledger = RedisLedger(
            line,
            scripts,
            keys,
            announceInScript,
            checked.retentionMillis,
            maxOf(
                checked.retentionMillis,
                3 * checked.leaseMillis,
            ),
            scope,
        )
        val observers = Observers(client)
        val states = ConnectionStates(ConnectionState.NOT_CONNECTED)
        nodes.onChange = { isThere ->
            states.become(if (isThere) ConnectionState.CONNECTED else ConnectionState.RECONNECTING)
            if (!isThere && scope.isActive) observers.tell(Observation.Disconnected(blocking = false))
        }
        announcements.onDisconnected = { observers.tell(Observation.Disconnected(blocking = true)) }
        nodes.onMoved = announcements::haveAllSpeak
        nodes.onReconnected = {
            announcements.haveAllSpeak()
            observers.tell(Observation.Reconnected(blocking = false))
        }
        announcements.onReconnected = { observers.tell(Observation.Reconnected(blocking = true)) }
        val store = SignalboxBackend.Store.Redis(line, announceInScript)
        val backend = SignalboxBackend(store, settings.namespace, client, checked, System::nanoTime, scope) { timer.shutdown() }
        val pools = Pools(nodes, settings.namespace, client, checked, System::nanoTime, scope, observers)
        val confirmations = settings.durability?.let { Confirmations(it, nodes, keys, scope) }
        return DefaultSignalbox(ledger, backend, observers, pools, executorOf(Dispatchers.Default), states, bound, confirmations)
    }

    fun inMemory(
        store: InMemoryStore,
        outer: CoroutineScope?,
        settings: SignalboxSettings,
    ): Signalbox {
        Requirements.check()
        val context = outer?.coroutineContext ?: Dispatchers.Default
        val time = ClientTime.of(context)
        warnOfTwoTimes(store, time)
        val checked = checked(settings, time)
        val scope = CoroutineScope(context + SupervisorJob(outer?.coroutineContext?.get(Job)))
        val start = store.timeSource.markNow()
        val clock = { start.elapsedNow().inWholeNanoseconds }
        val kept = SignalboxBackend.Store.Memory(store)
        val client = ClientIdentity()
        val backend = SignalboxBackend(kept, settings.namespace, client, checked, clock, scope) {}
        return DefaultSignalbox(
            MemoryLedger(store.ledgers, settings.namespace, scope),
            backend,
            Observers(client),
            pools = null,
            executorOf(context),
            ConnectionStates(ConnectionState.CONNECTED),
            WaiterBounds.ofClient(settings.maxWaiters),
        )
    }

    /** Leases would be counted by the one clock and renewed by the other. */
    private fun warnOfTwoTimes(
        store: InMemoryStore,
        time: ClientTime,
    ) {
        if (time.isVirtual == store.isInVirtualTime) return
        log.warn(
            "A client in {} time of a store in {} time: leases end early, or never. Under runTest give both the test's: " +
                "Signalbox.inMemory(InMemoryStore(testTimeSource), backgroundScope); elsewhere neither.",
            if (time.isVirtual) "virtual" else "real",
            if (time.isVirtual) "real" else "virtual",
        )
    }

    private val log = LoggerFactory.getLogger(Signalbox::class.java)

    private fun executorOf(context: CoroutineContext): Executor =
        (context[ContinuationInterceptor] as? CoroutineDispatcher ?: Dispatchers.Default).asExecutor()

    private fun checked(
        settings: SignalboxSettings,
        time: ClientTime,
    ): CoordinationSettings {
        requireName("namespace", settings.namespace, MAX_NAMESPACE_BYTES)
        return CoordinationSettings(
            label = requireLabel(settings.label),
            leaseMillis = wholeMillis("lease", settings.lease, 1.days, least = 100.milliseconds),
            retentionMillis = wholeMillis("retention", settings.retention, MAX_HOLD, least = 1.seconds),
            storeTimeoutMillis = wholeMillis("storeTimeout", settings.storeTimeout, MAX_HOLD, least = 10.milliseconds),
            holdWarningNanos =
            if (settings.holdWarning.isInfinite()) {
                Long.MAX_VALUE
            } else {
                wholeMillis("holdWarning", settings.holdWarning, MAX_HOLD) * CoordinationSettings.NANOS
            },
            time = time,
        )
    }
}
