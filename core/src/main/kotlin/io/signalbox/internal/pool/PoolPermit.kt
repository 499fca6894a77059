package io.signalbox.internal.pool

import io.signalbox.Permit
import io.signalbox.internal.coordination.LossListener
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicReference
import kotlin.coroutines.Continuation
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.Job
import kotlinx.coroutines.suspendCancellableCoroutine

/**
 * A grant of a pool in the hands of this client: one or several slots.
 *
 * ```
 *  HELD ── release() ──▶ RELEASED
 *    └── deadline of the session or of the max hold passed, data lost, client closed ──▶ LOST
 * ```
 *
 * Leaving HELD is atomic. The other mutable fields are guarded by the coordinator's lock.
 */
internal class PoolPermit(
    private val coordinator: PoolCoordinator,
    val session: PoolSession,
    val claims: List<Claim>,
    override val fencingToken: Long,
    override val holdersAtGrant: Int,
    /** Server time of the grant. */
    val sinceMicros: Long,
    val limited: Boolean,
    /** By the client's clock; for observers. */
    val grantedAt: Long,
) : Permit {
    enum class State { HELD, RELEASED, LOST }

    private val current = AtomicReference(State.HELD)
    private val releaseCalled = AtomicBoolean()

    val state: State get() = current.get()

    /** End of the max hold by the client's clock and, for snapshots, about the same moment by the server's. */
    @Volatile
    var holdDeadline: Long = Long.MAX_VALUE
    var holdUntilMillis: Long = -1
    var holdTimer: Job? = null

    /** Whether the server has been told what a snapshot shows of it. */
    var isDescribed: Boolean = false

    private var listeners: MutableList<LossListener>? = null

    private var releasing: Continuation<Boolean>? = null

    /** Who waits for the release to be confirmed. A permit that was lost first is answered at once. */
    val awaiting: Continuation<Boolean>? get() = releasing.takeIf { state == State.RELEASED }

    override val name: String get() = coordinator.subject.name
    override val permits: Int get() = claims.size

    override val isLost: Boolean
        get() {
            coordinator.loseIfOver(this)
            return state == State.LOST
        }

    override fun onLost(action: () -> Unit): DisposableHandle {
        val listener = LossListener(action)
        if (!coordinator.listen(this, listener)) action()
        return DisposableHandle { coordinator.unlisten(this, listener) }
    }

    override suspend fun release(): Boolean =
        suspendCancellableCoroutine { continuation ->
            coordinator.loseIfOver(this)
            if (!releaseCalled.compareAndSet(false, true)) {
                continuation.resumeWithException(coordinator.errors.released(this))
            } else {
                // Before the permit becomes RELEASED, and so visible to whoever confirms it.
                releasing = continuation
                if (markReleased()) coordinator.handBack(this) else continuation.resumeWith(Result.success(false))
            }
        }

    override suspend fun extend(hold: Duration): Boolean = coordinator.extend(this, hold)

    /** Whether it may not be used any more, by its own deadlines. */
    fun isOver(now: Long): Boolean = holdDeadline <= now || session.deadline <= now

    /** Gives back a permit that nobody has seen, because its acquire was cancelled at that moment. */
    fun giveBack() {
        if (markReleased()) coordinator.handBack(this)
    }

    /** Whether it was held until now. */
    fun markReleased(): Boolean = current.compareAndSet(State.HELD, State.RELEASED)

    /** Whether it is lost from now on; false if it was released before. */
    fun lose(): Boolean = current.compareAndSet(State.HELD, State.LOST)

    /** Returns false if it is too late to add one. */
    fun addListener(listener: LossListener): Boolean {
        if (state == State.LOST) return false
        if (state == State.HELD) listeners = (listeners ?: ArrayList(1)).apply { add(listener) }
        return true
    }

    fun removeListener(listener: LossListener) {
        listeners?.remove(listener)
    }

    fun takeListeners(): List<LossListener> = listeners.orEmpty().also { listeners = null }

    /** Never the marks of its slots: whoever knows them can release. */
    override fun toString(): String = "Permit(name=$name, fencingToken=$fencingToken, permits=$permits, state=$state)"
}
