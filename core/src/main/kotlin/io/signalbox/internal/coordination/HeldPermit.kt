package io.signalbox.internal.coordination

import io.signalbox.Permit
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicReference
import kotlin.coroutines.Continuation
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
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
 * Leaving HELD is atomic, so that a release needs no lock. The other mutable fields are guarded by the coordinator's lock.
 */
internal class HeldPermit(
    val coordinator: SemaphoreCoordinator,
    override val fencingToken: Long,
    override val permits: Int,
    override val holdersAtGrant: Int,
    val limited: Boolean,
    /** By the client's clock; for observers. */
    val grantedAt: Long,
) : Permit {
    enum class State { HELD, RELEASED, LOST }

    private val current = AtomicReference(State.HELD)
    private val releaseCalled = AtomicBoolean()

    val state: State get() = current.get()

    /** The session that holds it. Its deadline stays when the session is over, so it can be judged without the lock. */
    @Volatile
    var session: ClientSession? = null

    /** Whether it is in the outbox, or was. */
    var isReturning: Boolean = false

    /** Whether nobody was there any more to get it. */
    var isUnseen: Boolean = false

    /** Neighbours in the list of what the session holds. */
    var previous: HeldPermit? = null
    var next: HeldPermit? = null

    /** End of the max hold by the client's clock, and who watches it. */
    @Volatile
    var holdDeadline: Long = Long.MAX_VALUE
    var holdTimer: Job? = null

    private var listeners: MutableList<LossListener>? = null

    private var releasing: Continuation<Boolean>? = null

    /** Who waits for the release to be confirmed. A permit that was lost first is answered at once. */
    val awaiting: Continuation<Boolean>? get() = releasing.takeIf { state == State.RELEASED }

    /** Heavy grants are named with their weight in the ledger. */
    val heavy: Boolean get() = permits != 1 || limited

    override val name: String get() = coordinator.subject.name

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

    override suspend fun release(): Boolean = suspendCancellableCoroutine(::release)

    /** [release] whose wait cannot be cancelled either. */
    suspend fun releaseNonCancellable(): Boolean = suspendCoroutine(::release)

    private fun release(continuation: Continuation<Boolean>) {
        coordinator.loseIfOver(this)
        if (!releaseCalled.compareAndSet(false, true)) {
            continuation.resumeWithException(coordinator.errors.released(this))
            return
        }
        // Before the permit becomes RELEASED, and so visible to whoever confirms it.
        releasing = continuation
        if (markReleased()) coordinator.handBack(this) else continuation.resume(false)
    }

    /** Whether it may not be used any more, by its own deadlines. */
    fun isOver(now: Long): Boolean = holdDeadline <= now || session.let { it != null && it.deadline <= now }

    /** Gives back a permit that nobody has seen, because its acquire was cancelled at that moment. */
    fun giveBack() {
        if (markReleased()) coordinator.handBack(this)
    }

    /** Of an event: whether releasing it uses the signal up. */
    @Volatile
    var isConsumed: Boolean = false
        private set

    /** Gives it back as used up. Returns false if it was lost before: somebody else gets the signal. */
    fun consume(): Boolean {
        isConsumed = true
        return markReleased().also { if (it) coordinator.handBack(this) }
    }

    /** Whether it was held until now. */
    fun markReleased(): Boolean = current.compareAndSet(State.HELD, State.RELEASED)

    /** Whether it is lost from now on; false if it was released before. */
    fun lose(): Boolean = current.compareAndSet(State.HELD, State.LOST)

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
