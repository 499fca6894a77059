package io.signalbox.micrometer.internal

import io.micrometer.observation.Observation
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.ThreadContextElement

/** Makes [observation] the current one of whatever thread the coroutine runs on, while it does. */
internal class ObservationElement(
    private val observation: Observation,
) : AbstractCoroutineContextElement(Key),
    ThreadContextElement<Observation.Scope> {
    override fun updateThreadContext(context: CoroutineContext): Observation.Scope = observation.openScope()

    override fun restoreThreadContext(
        context: CoroutineContext,
        oldState: Observation.Scope,
    ) = oldState.close()

    companion object Key : CoroutineContext.Key<ObservationElement>
}
