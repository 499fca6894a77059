package io.signalbox.internal

import io.signalbox.InternalSignalboxApi
import io.signalbox.Mutex
import io.signalbox.Permit
import io.signalbox.internal.coordination.LeasedPermit
import io.signalbox.internal.coordination.PermitState
import io.signalbox.use
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.CopyableThreadContextElement
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext

/** Which mutexes the coroutine is in a block of: the innermost first. */
internal open class Locked(
    private val mutex: Any,
    private val permit: Permit,
    private val isReentrant: Boolean,
    private val outer: Locked?,
    /** Whether the coroutine was begun inside of the block: then it runs beside it, and holds none of these. */
    private val isInherited: Boolean = false,
) : AbstractCoroutineContextElement(Locked) {
    /** Of the block of [wanted] that this is inside of. */
    class Found(
        val permit: Permit,
        val mayReenter: Boolean,
    ) {
        val isHeld: Boolean get() = (permit as? LeasedPermit<*>)?.state == PermitState.HELD
    }

    fun find(
        wanted: Any,
        inherited: Boolean = false,
    ): Found? =
        if (mutex === wanted) {
            Found(permit, isReentrant && !isInherited && !inherited)
        } else {
            outer?.find(wanted, inherited || isInherited)
        }

    /** As it is in the context of the block itself, or of a coroutine that is begun inside of it. */
    protected fun copied(inherited: Boolean): Locked = Copied(mutex, permit, isReentrant, outer, inherited, isInPlace = true)

    /** One that knows when a coroutine is begun that inherits it. Where nobody reenters, that is of no interest, and costs nothing. */
    @OptIn(ExperimentalCoroutinesApi::class, DelicateCoroutinesApi::class)
    private class Copied(
        mutex: Any,
        permit: Permit,
        isReentrant: Boolean,
        outer: Locked?,
        isInherited: Boolean,
        /** What is put into a context is copied once for that. */
        private val isInPlace: Boolean,
    ) : Locked(mutex, permit, isReentrant, outer, isInherited),
        CopyableThreadContextElement<Unit> {
        override fun copyForChild(): CopyableThreadContextElement<Unit> = copied(inherited = isInPlace) as Copied

        override fun mergeForChild(overwritingElement: CoroutineContext.Element): CoroutineContext =
            if (overwritingElement is Copied) overwritingElement.copied(inherited = overwritingElement.isInPlace) else overwritingElement

        override fun updateThreadContext(context: CoroutineContext) = Unit

        override fun restoreThreadContext(
            context: CoroutineContext,
            oldState: Unit,
        ) = Unit
    }

    companion object Key : CoroutineContext.Key<Locked> {
        fun of(
            mutex: Any,
            permit: Permit,
            isReentrant: Boolean,
            outer: Locked?,
        ): Locked =
            if (isReentrant || outer is Copied) {
                Copied(mutex, permit, isReentrant, outer, isInherited = false, isInPlace = false)
            } else {
                Locked(mutex, permit, isReentrant = false, outer)
            }
    }
}

/** Marks a coroutine as being in a block of [mutex] under [permit]. */
@InternalSignalboxApi
public suspend fun lockedElement(
    mutex: Any,
    permit: Permit,
): CoroutineContext = Locked.of(mutex, permit, isReentrant = false, currentCoroutineContext()[Locked])

/** Whether the calling coroutine, or one it is a child of, is in such a block, and still holds [mutex]. */
@InternalSignalboxApi
public suspend fun isLockedHere(mutex: Any): Boolean = currentCoroutineContext()[Locked]?.find(mutex)?.isHeld == true

/** Runs [block] under this permit of [mutex], and has the coroutine know that. */
internal suspend fun <T> Permit.runLocked(
    mutex: Mutex,
    isReentrant: Boolean,
    block: suspend CoroutineScope.(Permit) -> T,
): T =
    use { permit ->
        withContext(Locked.of(mutex, permit, isReentrant, currentCoroutineContext()[Locked])) { block(permit) }
    }

/** What the coroutine holds of [mutex], if it may run another block under that; `null` if it holds nothing. */
internal suspend fun heldForReentry(mutex: Mutex): Permit? =
    currentCoroutineContext()[Locked]?.find(mutex)?.takeIf { it.mayReenter && it.isHeld }?.permit
