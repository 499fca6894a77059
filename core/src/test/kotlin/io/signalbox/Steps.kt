package io.signalbox

import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Delay
import kotlinx.coroutines.InternalCoroutinesApi
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.plus

/** Counts what a test's dispatcher runs, task by task, and can act between any two of them. For one thread. */
internal class Steps {
    private var count = 0
    private var actionAt = Int.MAX_VALUE
    private var action: () -> Unit = {}

    /** Calls [action] after [steps] more tasks, before the next; at once if that is none. */
    fun before(
        steps: Int,
        action: () -> Unit,
    ) {
        this.action = action
        actionAt = count + steps
        if (steps == 0) act()
    }

    /** [scope] with its dispatcher's tasks counted. */
    fun over(scope: CoroutineScope): CoroutineScope =
        scope + Counting(scope.coroutineContext[ContinuationInterceptor] as CoroutineDispatcher)

    private fun act() {
        actionAt = Int.MAX_VALUE
        action()
    }

    @OptIn(InternalCoroutinesApi::class)
    private inner class Counting(private val delegate: CoroutineDispatcher) :
        CoroutineDispatcher(),
        Delay by delegate as Delay {
        override fun dispatch(
            context: CoroutineContext,
            block: Runnable,
        ) {
            delegate.dispatch(context) {
                if (count++ == actionAt) act()
                block.run()
            }
        }
    }
}
