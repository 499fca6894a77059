package io.signalbox.ledger.turns

import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Delay
import kotlinx.coroutines.InternalCoroutinesApi
import kotlinx.coroutines.test.TestDispatcher

/** A process in virtual time: while it is paused time goes on for everybody else, and all that happened meanwhile comes at once, in order. */
@OptIn(InternalCoroutinesApi::class)
internal class PausableDispatcher(
    private val time: TestDispatcher,
) : CoroutineDispatcher(),
    Delay by time {
    private val missed = ArrayDeque<Pair<CoroutineContext, Runnable>>()

    /** Dead: nothing happens in it any more. */
    var isDead: Boolean = false

    var isPaused: Boolean = false
        set(value) {
            field = value
            if (!value) while (missed.isNotEmpty()) missed.removeFirst().let { (context, block) -> time.dispatch(context, block) }
        }

    override fun dispatch(
        context: CoroutineContext,
        block: Runnable,
    ) {
        when {
            isDead -> Unit
            isPaused -> missed.addLast(context to block)
            else -> time.dispatch(context, Runnable { if (!isDead) if (isPaused) missed.addLast(context to block) else block.run() })
        }
    }
}
