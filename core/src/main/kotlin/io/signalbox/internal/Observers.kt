package io.signalbox.internal

import io.signalbox.Observation
import io.signalbox.SignalboxListener
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.DisposableHandle
import org.slf4j.LoggerFactory

/** Who listens to what happens to a client. While nobody does, that costs a look at an empty list. */
internal class Observers {
    /** One registration: the same listener may be registered several times. */
    private class Registration(
        val listener: SignalboxListener,
    )

    private val registrations = CopyOnWriteArrayList<Registration>()

    val isEmpty: Boolean get() = registrations.isEmpty()

    fun add(listener: SignalboxListener): DisposableHandle {
        val registration = Registration(listener)
        registrations.add(registration)
        return DisposableHandle { registrations.remove(registration) }
    }

    fun tell(observation: Observation) {
        for (registration in registrations) {
            try {
                registration.listener.hear(observation)
            } catch (problem: Exception) {
                log.warn("A SignalboxListener failed", problem)
            }
        }
    }

    private fun SignalboxListener.hear(observation: Observation) =
        when (observation) {
            is Observation.Granted -> onGranted(observation)
            is Observation.Released -> onReleased(observation)
            is Observation.Lost -> onLost(observation)
            is Observation.Reconnected -> onReconnected(observation)
        }

    private companion object {
        val log = LoggerFactory.getLogger(SignalboxListener::class.java)
    }
}
