package io.signalbox.internal

import io.signalbox.AfterDataLoss
import io.signalbox.SemaphoreSettings
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.MAX_HOLD
import io.signalbox.internal.coordination.SemaphoreCoordinator
import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import kotlin.time.Duration

/** The semaphores of one client: one handle per name, whose settings are those of the first call. */
internal class SemaphoreHandles(
    private val client: DefaultSignalbox,
) {
    /** [attached] until somebody names the count. */
    private class Handle(
        val semaphore: DefaultSemaphore,
        val settings: SemaphoreSettings,
        var attached: Boolean,
    )

    private val handles = Handles<Handle>()

    /** Creates or joins, or with [ATTACHED] for [declared] only joins; `null` if there is nothing to join. */
    suspend fun handle(
        name: String,
        declared: Int,
        wanted: SemaphoreSettings,
    ): DefaultSemaphore? {
        requireName("name of a semaphore", name, MAX_NAME_BYTES)
        val holdMillis = holdMillis(wanted.maxHold)
        requireWait("acquireTimeout", wanted.acquireTimeout)
        val handle = HandleSettings(declared, wanted.bounded, wanted.afterDataLoss == AfterDataLoss.QUARANTINE, holdMillis)
        return handles.choose(name) { known ->
            if (known != null) {
                rejoin(name, known, handle, wanted)
            } else {
                val coordinator = client.coordinator(LedgerName(Kind.SEMAPHORE, name), handle)
                coordinator?.let { Handle(semaphore(it, wanted), wanted, attached = declared == ATTACHED) }
            }
        }?.semaphore
    }

    private fun semaphore(
        coordinator: SemaphoreCoordinator,
        wanted: SemaphoreSettings,
    ) = DefaultSemaphore(coordinator, wanted.acquireTimeout) { limit -> client.snapshot(coordinator, limit) }

    private fun rejoin(
        name: String,
        known: Handle,
        wanted: HandleSettings,
        settings: SemaphoreSettings,
    ): Handle {
        val attaching = wanted.declared == ATTACHED
        val same =
            known.settings.maxHold == settings.maxHold &&
                known.settings.acquireTimeout == settings.acquireTimeout &&
                (attaching || known.attached || known.settings.afterDataLoss == settings.afterDataLoss)
        if (!same) requireSame("Semaphore '$name'", known.settings.toString(), settings.toString())
        if (!attaching) {
            known.semaphore.coordinator.declare(wanted)
            known.attached = false
        }
        return known
    }

    companion object {
        const val ATTACHED = -1
        const val MAX_NAME_BYTES = 256

        /** -1 for infinite. */
        fun holdMillis(maxHold: Duration): Long = if (maxHold == Duration.INFINITE) -1 else wholeMillis("maxHold", maxHold, MAX_HOLD)

        fun requireWait(
            what: String,
            value: Duration,
        ) {
            if (value != Duration.INFINITE) wholeMillis(what, value, Duration.INFINITE)
        }
    }
}
