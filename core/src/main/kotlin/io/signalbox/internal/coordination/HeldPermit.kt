package io.signalbox.internal.coordination

import io.signalbox.Permit
import kotlin.coroutines.Continuation
import kotlin.coroutines.suspendCoroutine
import kotlin.time.Duration
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.Job
import kotlinx.coroutines.suspendCancellableCoroutine

/**
 * A grant in the hands of this client.
 *
 * ```
 *  HELD ── release() ──▶ RELEASED
 *    └── deadline of the session or of the max hold passed, data lost, client closed ──▶ LOST
 * ```
 *
 * Mutable fields are guarded by the coordinator's lock.
 */
internal class HeldPermit(
    private val coordinator: SemaphoreCoordinator,
    override val fencingToken: Long,
    override val permits: Int,
    override val holdersAtGrant: Int,
    val limited: Boolean,
) : Permit {
    enum class State { HELD, RELEASED, LOST }

    @Volatile
    var state: State = State.HELD

    /** Neighbours in the list of what the session holds. */
    var previous: HeldPermit? = null
    var next: HeldPermit? = null

    /** End of the max hold by the client's clock, and who watches it. */
    var holdDeadline: Long = Long.MAX_VALUE
    var holdTimer: Job? = null

    private var listeners: MutableList<LossListener>? = null

    /** Who waits for the release to be confirmed. */
    var releasing: Continuation<Boolean>? = null
    var releaseCalled: Boolean = false

    /** Heavy grants are named with their weight in the ledger. */
    val heavy: Boolean get() = permits != 1 || limited

    override val name: String get() = coordinator.name

    override val isLost: Boolean
        get() {
            if (state == State.HELD) coordinator.loseWhatIsOver()
            return state == State.LOST
        }

    override fun onLost(action: () -> Unit): DisposableHandle {
        val listener = LossListener(action)
        if (!coordinator.listen(this, listener)) action()
        return DisposableHandle { coordinator.unlisten(this, listener) }
    }

    override suspend fun release(): Boolean = suspendCancellableCoroutine { coordinator.release(this, it) }

    /** [release] whose wait cannot be cancelled either. */
    fun giveBack() = coordinator.giveBack(this)

    suspend fun releaseNonCancellable(): Boolean = suspendCoroutine { coordinator.release(this, it) }

    override suspend fun extend(hold: Duration): Boolean = coordinator.extend(this, hold)

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

    /** Never the acquisition id: whoever knows it can release. */
    override fun toString(): String = "Permit(name=$name, fencingToken=$fencingToken, permits=$permits, state=$state)"
}

/** One registration: the same action may be registered several times. */
internal class LossListener(
    val action: () -> Unit,
)
