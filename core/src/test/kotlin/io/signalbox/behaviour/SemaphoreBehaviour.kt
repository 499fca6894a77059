package io.signalbox.behaviour

import io.kotest.core.spec.style.FunSpec

/**
 * What a semaphore does, whatever store it is on.
 *
 * A subject is an object of this class for one [backend]; the expectations are in the files of this package, one concept
 * each, as functions that add their tests.
 */
abstract class SemaphoreBehaviour(private val backend: Backend) : FunSpec() {
    private val leftOutHere = mutableListOf<String>()

    /** The names of the tests that this backend does not promise to pass, see [Backend.lacks]. */
    val leftOut: List<String> get() = leftOutHere

    init {
        joining()
        joiningLater()
        attaching()
        acquiring()
        waitingForLimitedTime()
        trying()
        queueing()
        severalPermits()
        tokens()
        releasing()
        withPermits()
        blockEnds()
        limitedHolds()
        minimumHolds()
        overload()
        hearingOfLoss()
        asking()
        snapshots()
        resizing()
        declaring()
        revoking()
        deleting()
        addingPermits()
        handingOver()
        retention()
        quarantine()
        closing()
    }

    /** A test with an empty store of its own, for backends that lack none of what it [needs]. */
    fun behaviour(
        name: String,
        vararg needs: Ability,
        body: suspend Clients.() -> Unit,
    ) {
        if (backend.plays(needs)) {
            test(name) { play(backend.emptyStore(), body) }
        } else {
            leftOutHere += name
        }
    }

    /** Has the clients of [store] do what a test wants of them. */
    protected open suspend fun play(
        store: Store,
        body: suspend Clients.() -> Unit,
    ) = withClients(store, body)
}
