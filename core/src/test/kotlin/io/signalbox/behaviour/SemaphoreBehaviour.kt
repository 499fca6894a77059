package io.signalbox.behaviour

import io.kotest.core.spec.style.FunSpec

/**
 * What a semaphore does, whatever store it is on.
 *
 * A subject is an object of this class for one [backend]; the expectations are in the files of this package, one concept
 * each, as functions that add their tests.
 */
abstract class SemaphoreBehaviour(private val backend: Backend) : FunSpec() {
    init {
        joining()
        attaching()
        acquiring()
        waitingForLimitedTime()
        trying()
        queueing()
        severalPermits()
        tokens()
        releasing()
        withPermits()
        limitedHolds()
        hearingOfLoss()
        asking()
        snapshots()
        resizing()
        addingPermits()
        handingOver()
        retention()
        quarantine()
        closing()
    }

    /** A test with an empty store of its own. */
    fun behaviour(
        name: String,
        body: suspend Clients.() -> Unit,
    ) {
        test(name) { withClients(backend.emptyStore(), body) }
    }
}
