package io.signalbox.internal.coordination

import io.signalbox.InternalSignalboxApi
import io.signalbox.Permit
import io.signalbox.internal.ledger.LedgerName
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater
import kotlin.coroutines.Continuation
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.Job
import kotlinx.coroutines.suspendCancellableCoroutine

/** Who looks after the permits of a client: what [LeasedPermit] asks of its coordinator. */
@InternalSignalboxApi
public interface PermitKeeper<P : LeasedPermit<P>> {
    public val subject: LedgerName

    /** Declares [permit] lost if it is past its deadline; waits for whoever is declaring it lost at the moment. */
    public fun loseIfOver(permit: P)

    /** Takes a permit that has just become RELEASED. */
    public fun handBack(permit: P)

    public suspend fun extend(
        permit: P,
        hold: Duration,
    ): Boolean
}

@InternalSignalboxApi
public enum class PermitState { HELD, RELEASED, LOST }

/**
 * A grant in the hands of this client, whatever it is made of on the server.
 *
 * ```
 *  HELD ── release() ──▶ RELEASED
 *    └── deadline of the session or of the max hold passed, data lost, client closed ──▶ LOST
 * ```
 *
 * Leaving HELD is atomic, so that a release needs no lock. Listeners are guarded by the permit itself, the other mutable fields by the
 * coordinator's lock.
 */
@InternalSignalboxApi
public abstract class LeasedPermit<P : LeasedPermit<P>>(
    private val keeper: PermitKeeper<P>,
    final override val fencingToken: Long,
    final override val holdersAtGrant: Int,
    internal val limited: Boolean,
    /** By the client's clock; for observers. */
    internal val grantedAt: Long,
) : Permit {
    @Volatile
    private var current: PermitState = PermitState.HELD

    @Volatile
    private var releaseCalled: Int = 0

    public val state: PermitState get() = current

    /** This permit, as its keeper knows it. */
    protected abstract val self: P

    /** End of the session's lease by the client's clock. */
    protected abstract val sessionDeadline: Long

    /** End of the max hold by the client's clock, and who watches it. */
    @Volatile
    internal var holdDeadline: Long = Long.MAX_VALUE
    internal var holdTimer: Job? = null

    private var listeners: MutableList<LossListener>? = null

    private var releasing: Continuation<Boolean>? = null

    /** Who waits for the release to be confirmed. A permit that was lost first is answered at once. */
    public val awaiting: Continuation<Boolean>? get() = releasing.takeIf { state == PermitState.RELEASED }

    internal val subject: LedgerName get() = keeper.subject

    final override val name: String get() = subject.name

    final override val isLost: Boolean
        get() {
            keeper.loseIfOver(self)
            return state == PermitState.LOST
        }

    final override fun onLost(action: () -> Unit): DisposableHandle {
        keeper.loseIfOver(self)
        val listener = LossListener(this, action)
        if (!addListener(listener)) action()
        return listener
    }

    final override suspend fun release(): Boolean = suspendCancellableCoroutine(::release)

    /**
     * [release] that waits for nobody: the permit is handed on, or its return is said until the server has heard of it or the session is
     * over. Returns whether it was held until now.
     *
     * @throws IllegalStateException if it was released before.
     */
    internal fun letGo(): Boolean {
        keeper.loseIfOver(self)
        if (!RELEASE_CALLED.compareAndSet(this, 0, 1)) throw releasedTwice(this)
        return markReleased().also { if (it) keeper.handBack(self) }
    }

    private fun release(continuation: Continuation<Boolean>) {
        keeper.loseIfOver(self)
        if (!RELEASE_CALLED.compareAndSet(this, 0, 1)) {
            continuation.resumeWithException(releasedTwice(this))
            return
        }
        // Before the permit becomes RELEASED, and so visible to whoever confirms it.
        releasing = continuation
        if (markReleased()) keeper.handBack(self) else continuation.resume(false)
    }

    final override suspend fun extend(hold: Duration): Boolean = keeper.extend(self, hold)

    /** Whether it may not be used any more, by its own deadlines. */
    public fun isOver(now: Long): Boolean = holdDeadline <= now || sessionDeadline <= now

    /** Gives back a permit that nobody has seen, because its acquire was cancelled at that moment. */
    public open fun giveBack() {
        if (markReleased()) keeper.handBack(self)
    }

    /** Whether it was held until now. */
    internal fun markReleased(): Boolean = CURRENT.compareAndSet(this, PermitState.HELD, PermitState.RELEASED)

    /** Why it was lost, if it was. */
    @Volatile
    internal var loss: Loss? = null
        private set

    /** Of a revoked one, the label of who did that. Set before it is lost. */
    internal var revokedBy: String? = null

    /** Whether it is lost from now on, by [why]; false if it was released before. */
    public fun lose(why: Loss): Boolean {
        // Before it can be seen to be lost. Only its keeper calls this, under a lock.
        if (state == PermitState.HELD) loss = why
        return CURRENT.compareAndSet(this, PermitState.HELD, PermitState.LOST)
    }

    /** Returns false if it is too late to add one. */
    private fun addListener(listener: LossListener): Boolean =
        synchronized(this) {
            if (state == PermitState.HELD) listeners = (listeners ?: ArrayList(1)).apply { add(listener) }
            state != PermitState.LOST
        }

    internal fun removeListener(listener: LossListener) {
        synchronized(this) { listeners?.remove(listener) }
    }

    /** Whoever ends the hold of this permit takes them, after it has left HELD. */
    public fun takeListeners(): List<LossListener> = synchronized(this) { listeners.orEmpty().also { listeners = null } }

    /** Never what the server knows it by: whoever knows that can release. */
    final override fun toString(): String = "Permit(name=$name, fencingToken=$fencingToken, permits=$permits, state=$state)"

    private companion object {
        /** Updaters and not atomic objects: a permit is made for every grant. */
        val CURRENT: AtomicReferenceFieldUpdater<LeasedPermit<*>, PermitState> =
            AtomicReferenceFieldUpdater.newUpdater(LeasedPermit::class.java, PermitState::class.java, "current")
        val RELEASE_CALLED: AtomicIntegerFieldUpdater<LeasedPermit<*>> =
            AtomicIntegerFieldUpdater.newUpdater(LeasedPermit::class.java, "releaseCalled")
    }
}

/** Releasing [permit] once more is a bug of the caller. */
@InternalSignalboxApi
public fun releasedTwice(permit: LeasedPermit<*>): IllegalStateException =
    IllegalStateException("Permit ${permit.fencingToken} of ${permit.subject} was already released. Release a permit once.")

/** One registration: the same action may be registered several times. */
@InternalSignalboxApi
public class LossListener internal constructor(
    private val permit: LeasedPermit<*>,
    public val action: () -> Unit,
) : DisposableHandle {
    override fun dispose(): Unit = permit.removeListener(this)
}
