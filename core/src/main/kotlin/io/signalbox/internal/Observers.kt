package io.signalbox.internal

import io.signalbox.Exchanged
import io.signalbox.Observation
import io.signalbox.SignalboxListener
import io.signalbox.internal.ledger.ClientIdentity
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.DisposableHandle
import org.slf4j.LoggerFactory

/** Who listens to what happens to a client. While nobody does, that costs a look at an empty list. */
internal class Observers(
    private val client: ClientIdentity? = null,
) {
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

    /** Runs [action] of a user, from which the client can be closed. */
    fun calling(action: () -> Unit) = if (client == null) action() else InsideClient.during(client, action)

    fun tell(observation: Observation) = telling { it.hear(observation) }

    fun tell(exchanged: Exchanged) = telling { it.onExchanged(exchanged) }

    private inline fun telling(crossinline hear: (SignalboxListener) -> Unit) {
        for (registration in registrations) {
            try {
                calling { hear(registration.listener) }
            } catch (problem: Throwable) {
                // Also an Error: who listens has no say in what happens.
                log.warnSafely("A SignalboxListener failed", problem)
            }
        }
    }

    private fun SignalboxListener.hear(observation: Observation) =
        when (observation) {
            is Observation.Granted -> onGranted(observation)
            is Observation.Released -> onReleased(observation)
            is Observation.Lost -> onLost(observation)
            is Observation.TimedOut -> onTimedOut(observation)
            is Observation.Refused -> onRefused(observation)
            is Observation.HeldLong -> onHeldLong(observation)
            is Observation.Disconnected -> onDisconnected(observation)
            is Observation.Reconnected -> onReconnected(observation)
        }

    private companion object {
        val log = LoggerFactory.getLogger(SignalboxListener::class.java)
    }
}
