package io.signalbox.java.internal

import io.signalbox.AfterDataLoss as CoreAfterDataLoss
import io.signalbox.ConnectionSettings
import io.signalbox.Durability as CoreDurability
import io.signalbox.EventSettings
import io.signalbox.Exchanged as CoreExchanged
import io.signalbox.HandleUsage as CoreHandleUsage
import io.signalbox.InitStrategy as CoreInitStrategy
import io.signalbox.MutexSettings
import io.signalbox.Observation as CoreObservation
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.SemaphoreSettings
import io.signalbox.SemaphoreSnapshot as CoreSnapshot
import io.signalbox.SemaphoreStatistics as CoreStatistics
import io.signalbox.SignalboxListener as CoreListener
import io.signalbox.SignalboxSettings
import io.signalbox.java.AfterDataLoss
import io.signalbox.java.ConnectionOptions
import io.signalbox.java.Durability
import io.signalbox.java.EventOptions
import io.signalbox.java.Exchanged
import io.signalbox.java.HandleUsage
import io.signalbox.java.InitStrategy
import io.signalbox.java.MutexOptions
import io.signalbox.java.Observation
import io.signalbox.java.SemaphoreOptions
import io.signalbox.java.SemaphoreSnapshot
import io.signalbox.java.SemaphoreStatistics
import io.signalbox.java.SignalboxListener
import io.signalbox.java.SignalboxOptions
import java.util.Optional

// ---- options: what was left out keeps the default of the core --------------------------------------------------------------

internal fun SignalboxSettings.take(options: SignalboxOptions) {
    options.namespace().ifPresent { namespace = it }
    options.label().ifPresent { label = it }
    options.lease().ifPresent { lease = it.kotlin() }
    options.retention().ifPresent { retention = it.kotlin() }
    options.storeTimeout().ifPresent { storeTimeout = it.kotlin() }
    options.maxWaiters().ifPresent { maxWaiters = it }
    options.holdWarning().ifPresent { holdWarning = it.kotlin() }
    options.announceInScript().ifPresent { announceInScript = it }
    options.durability().ifPresent { durability = it.kotlin() }
    options.connection().ifPresent { given -> connection { take(given) } }
}

private fun Durability.kotlin(): CoreDurability =
    if (isOnDisk) CoreDurability.onDisk(replicas(), timeout().kotlin()) else CoreDurability.replicated(replicas(), timeout().kotlin())

private fun ConnectionSettings.take(options: ConnectionOptions) {
    options.trustedCertificates().ifPresent { trustedCertificates = it }
    options.clientCertificate().ifPresent { clientCertificate = it }
    options.clientKey().ifPresent { clientKey = it }
    options.clientKeyPassword().ifPresent { clientKeyPassword = it }
    verifyHostName = options.verifyHostName()
    options.credentials().ifPresent { credentials = it }
    options.options().ifPresent { configure -> options { configure.accept(this) } }
}

internal fun SemaphoreSettings.take(options: SemaphoreOptions) {
    options.maxHold().ifPresent { maxHold = it.kotlin() }
    options.maxWaiters().ifPresent { maxWaiters = it }
    options.acquireTimeout().ifPresent { acquireTimeout = it.kotlin() }
    bounded = options.bounded()
    onMismatch = options.onMismatch()
    afterDataLoss = options.afterDataLoss().kotlin()
    options.longestLease().ifPresent { longestLease = it.kotlin() }
    options.pool().ifPresent { algorithm = SemaphoreAlgorithm.Pool(it.kotlin()) }
}

internal fun MutexSettings.take(options: MutexOptions) {
    options.maxHold().ifPresent { maxHold = it.kotlin() }
    options.maxWaiters().ifPresent { maxWaiters = it }
    options.lockTimeout().ifPresent { lockTimeout = it.kotlin() }
    afterDataLoss = options.afterDataLoss().kotlin()
    options.longestLease().ifPresent { longestLease = it.kotlin() }
}

internal fun EventSettings.take(options: EventOptions) {
    options.maxWaiters().ifPresent { maxWaiters = it }
    options.signalTtl().ifPresent { signalTtl = it.kotlin() }
    options.maxSignals().ifPresent { maxSignals = it }
}

private fun InitStrategy.kotlin(): CoreInitStrategy =
    when (this) {
        InitStrategy.LUA -> CoreInitStrategy.LUA
        InitStrategy.OPTIMISTIC_LOCKING -> CoreInitStrategy.OPTIMISTIC_LOCKING
        InitStrategy.SETNX -> CoreInitStrategy.SETNX
    }

private fun AfterDataLoss.kotlin(): CoreAfterDataLoss =
    when (this) {
        AfterDataLoss.GRANT_AT_ONCE -> CoreAfterDataLoss.GRANT_AT_ONCE
        AfterDataLoss.QUARANTINE -> CoreAfterDataLoss.QUARANTINE
    }

// ---- what is read ----------------------------------------------------------------------------------------------------------

internal fun CoreSnapshot.java(): SemaphoreSnapshot =
    SemaphoreSnapshot(
        name,
        declaredPermits,
        permits,
        heldPermits,
        queueLength,
        grants,
        holders.map { it.java() },
        queue.map { it.java() },
    )

internal fun CoreSnapshot.Holder.java(): SemaphoreSnapshot.Holder =
    SemaphoreSnapshot.Holder(
        client,
        label,
        fencingToken,
        permits,
        age.java(),
        remainingLease.java(),
        Optional.ofNullable(remainingHold?.java()),
        isKept,
    )

private fun CoreSnapshot.Waiter.java(): SemaphoreSnapshot.Waiter =
    SemaphoreSnapshot.Waiter(client, label, position, permits, age.java(), remainingLease.java())

internal fun CoreStatistics.java(): SemaphoreStatistics =
    SemaphoreStatistics(name, permits, heldPermits, waiting, Optional.ofNullable(oldestWaiterAge?.java()), grants)

// ---- what is heard ---------------------------------------------------------------------------------------------------------

internal fun CoreObservation.java(): Observation =
    when (this) {
        is CoreObservation.Granted -> java()
        is CoreObservation.Released -> java()
        is CoreObservation.Lost -> java()
        is CoreObservation.TimedOut -> java()
        is CoreObservation.Refused -> java()
        is CoreObservation.HeldLong -> java()
        is CoreObservation.Disconnected -> java()
        is CoreObservation.Reconnected -> java()
    }

private fun CoreObservation.Granted.java() = Observation.Granted(kind.java(), name, fencingToken, permits, waited.java(), queued)

private fun CoreObservation.Released.java() = Observation.Released(kind.java(), name, fencingToken, permits, held.java())

private fun CoreObservation.Lost.java() = Observation.Lost(kind.java(), name, fencingToken, permits, held.java(), reason)

private fun CoreObservation.TimedOut.java() = Observation.TimedOut(kind.java(), name, permits, waited.java())

private fun CoreObservation.Refused.java() =
    Observation.Refused(kind.java(), name, permits, Observation.Refusal.valueOf(reason.name), waited.java())

private fun CoreObservation.HeldLong.java() = Observation.HeldLong(kind.java(), name, fencingToken, permits, held.java())

private fun CoreObservation.Disconnected.java() = Observation.Disconnected(blocking)

internal fun CoreHandleUsage.java(): HandleUsage = HandleUsage(kind.java(), name, heldPermits, waiting)

private fun CoreObservation.Reconnected.java() = Observation.Reconnected(blocking)

private fun CoreObservation.Kind.java(): Observation.Kind =
    when (this) {
        CoreObservation.Kind.SEMAPHORE -> Observation.Kind.SEMAPHORE
        CoreObservation.Kind.MUTEX -> Observation.Kind.MUTEX
        CoreObservation.Kind.EVENT -> Observation.Kind.EVENT
    }

/** Tells [listener] what the core tells. */
internal class ListenerBridge(
    private val listener: SignalboxListener,
) : CoreListener {
    override fun onGranted(granted: CoreObservation.Granted) = listener.onGranted(granted.java())

    override fun onReleased(released: CoreObservation.Released) = listener.onReleased(released.java())

    override fun onLost(lost: CoreObservation.Lost) = listener.onLost(lost.java())

    override fun onTimedOut(timedOut: CoreObservation.TimedOut) = listener.onTimedOut(timedOut.java())

    override fun onRefused(refused: CoreObservation.Refused) = listener.onRefused(refused.java())

    override fun onHeldLong(heldLong: CoreObservation.HeldLong) = listener.onHeldLong(heldLong.java())

    override fun onExchanged(exchanged: CoreExchanged) =
        listener.onExchanged(Exchanged(exchanged.kind.java(), exchanged.name, exchanged.operations, exchanged.took.java()))

    override fun onDisconnected(disconnected: CoreObservation.Disconnected) = listener.onDisconnected(disconnected.java())

    override fun onReconnected(reconnected: CoreObservation.Reconnected) = listener.onReconnected(reconnected.java())
}
