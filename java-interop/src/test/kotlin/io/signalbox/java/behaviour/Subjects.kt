package io.signalbox.java.behaviour

import io.signalbox.Event
import io.signalbox.EventSettings
import io.signalbox.HandleUsage
import io.signalbox.Mutex
import io.signalbox.MutexSettings
import io.signalbox.Observation
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SemaphoreSettings
import io.signalbox.SemaphoreSnapshot
import io.signalbox.SemaphoreStatistics
import io.signalbox.Signalbox
import io.signalbox.SignalboxListener
import io.signalbox.SignalboxSettings
import io.signalbox.event.Lookable
import io.signalbox.java.AcquireOptions
import io.signalbox.java.AfterDataLoss
import io.signalbox.java.EventOptions
import io.signalbox.java.Grant
import io.signalbox.java.MutexOptions
import io.signalbox.java.SemaphoreOptions
import io.signalbox.java.SignalboxOptions
import kotlin.jvm.optionals.getOrNull
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.flow.Flow

/** What the adapters of both views have in common. [look] makes a client of the core that looks at the same store. */
abstract class Subject(
    look: () -> Signalbox,
) : Signalbox {
    private val looker = lazy(look)

    protected suspend fun closeLooker() {
        if (looker.isInitialized()) looker.value.closeAndJoin()
    }

    /** The suite wants to see who waits for an event, which the public API does not show. */
    protected abstract inner class LookableEvent(
        override val name: String,
    ) : Event,
        Lookable {
        override suspend fun look(): Event = looker.value.event(name)
    }

    override suspend fun statistics(
        names: Collection<String>?,
        limit: Int,
    ): List<SemaphoreStatistics> = notInTheSuite()

    override fun usage(): List<HandleUsage> = notInTheSuite()

    override fun addListener(listener: SignalboxListener): DisposableHandle = notInTheSuite()

    override fun observations(): Flow<Observation> = notInTheSuite()

    private fun notInTheSuite(): Nothing = error("Not in these suites")
}

/** One grant, whichever view it comes from. */
abstract class PermitSubject(
    private val grant: Grant,
) : Permit {
    override val name: String get() = grant.name()
    override val fencingToken: Long get() = grant.fencingToken()
    override val permits: Int get() = grant.permits()
    override val holdersAtGrant: Int get() = grant.holdersAtGrant()
    override val isLost: Boolean get() = grant.isLost

    override fun onLost(action: () -> Unit): DisposableHandle = grant.onLost(action).let { DisposableHandle(it::close) }
}

/** The suite expects actions to have been called when it has heard of a loss, so they are called where the loss is noticed. */
fun options(configure: SignalboxSettings.() -> Unit): SignalboxOptions {
    val settings = SignalboxSettings().apply(configure)
    return SignalboxOptions
        .builder()
        .namespace(settings.namespace)
        .label(settings.label)
        .lease(settings.lease.toJavaDuration())
        .retention(settings.retention.toJavaDuration())
        .storeTimeout(settings.storeTimeout.toJavaDuration())
        .maxWaiters(settings.maxWaiters)
        .announceInScript(settings.announceInScript)
        .callbackExecutor(Runnable::run)
        .build()
}

/** Java has another way to say that there is no limit, so the suite's is the longest. */
internal fun options(
    permits: Int,
    timeout: Duration?,
    maxHold: Duration?,
    minHold: Duration = Duration.ZERO,
): AcquireOptions {
    require(maxHold == null || maxHold > Duration.ZERO) { "maxHold must be longer than zero, but was $maxHold." }
    var options = AcquireOptions.defaults().permits(permits).minHold(minHold.toJavaDuration())
    if (maxHold != null) options = options.maxHold(maxHold.toJavaDuration())
    return if (timeout == null) options else options.timeout(timeout.toJavaDuration())
}

fun semaphoreOptions(configure: SemaphoreSettings.() -> Unit): SemaphoreOptions {
    val settings = SemaphoreSettings().apply(configure)
    val options = SemaphoreOptions.builder()
    settings.maxHold.ifFinite { options.maxHold(it.toJavaDuration()) }
    settings.acquireTimeout.ifFinite { options.acquireTimeout(it.toJavaDuration()) }
    settings.longestLease?.let { options.longestLease(it.toJavaDuration()) }
    options.maxWaiters(settings.maxWaiters)
    return options.onMismatch(
        settings.onMismatch,
    ).bounded(settings.bounded).afterDataLoss(AfterDataLoss.valueOf(settings.afterDataLoss.name)).build()
}

fun mutexOptions(configure: MutexSettings.() -> Unit): MutexOptions {
    val settings = MutexSettings().apply(configure)
    val options = MutexOptions.builder()
    settings.maxHold.ifFinite { options.maxHold(it.toJavaDuration()) }
    settings.lockTimeout.ifFinite { options.lockTimeout(it.toJavaDuration()) }
    settings.longestLease?.let { options.longestLease(it.toJavaDuration()) }
    options.maxWaiters(settings.maxWaiters)
    return options.afterDataLoss(AfterDataLoss.valueOf(settings.afterDataLoss.name)).build()
}

fun eventOptions(configure: EventSettings.() -> Unit): EventOptions {
    val settings = EventSettings().apply(configure)
    val options = EventOptions.builder().maxSignals(settings.maxSignals).maxWaiters(settings.maxWaiters)
    settings.signalTtl.ifFinite { options.signalTtl(it.toJavaDuration()) }
    return options.build()
}

private fun Duration.ifFinite(use: (Duration) -> Unit) {
    if (isFinite()) use(this)
}

fun io.signalbox.java.SemaphoreSnapshot.kotlin(): SemaphoreSnapshot =
    SemaphoreSnapshot(
        name(),
        declaredPermits(),
        permits(),
        heldPermits(),
        queueLength(),
        grants(),
        holders().map { it.kotlin() },
        queue().map {
            SemaphoreSnapshot.Waiter(
                it.client(),
                it.label(),
                it.position(),
                it.permits(),
                it.age().toKotlinDuration(),
                it.remainingLease().toKotlinDuration(),
            )
        },
    )

fun io.signalbox.java.SemaphoreSnapshot.Holder.kotlin(): SemaphoreSnapshot.Holder =
    SemaphoreSnapshot.Holder(
        client(),
        label(),
        fencingToken(),
        permits(),
        age().toKotlinDuration(),
        remainingLease().toKotlinDuration(),
        remainingHold().getOrNull()?.toKotlinDuration(),
        isKept(),
    )

/** The handles of one client: the same for the same view. */
class Handles<V : Any, H : Any>(
    private val make: (V) -> H,
) {
    private val known = java.util.concurrent.ConcurrentHashMap<V, H>()

    fun of(view: V): H = known.computeIfAbsent(view, make)
}
