package io.signalbox.examples

import io.signalbox.InitStrategy
import io.signalbox.Observation
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.SignalboxListener
import io.signalbox.withLock
import io.signalbox.withPermit
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch

// What the README shows of each primitive; `ReadmeTest` keeps the two the same, `PrimitivesTest` runs it.

public suspend fun mutex(
    signalbox: Signalbox,
    migrate: suspend (fencingToken: Long) -> Unit,
) {
    // region mutex
    val schema = signalbox.mutex("schema")

    schema.withLock { permit -> migrate(permit.fencingToken) } // unlocked on every path, cancelled if the lock is lost

    val lock = schema.tryLock() // null if somebody holds it or waits for it
    println(schema.owner()) // who holds it: label, token, age, remaining lease
    lock?.release()
    // endregion
}

public suspend fun event(signalbox: Signalbox): Boolean {
    // region event
    val paid = signalbox.event("order-4711-paid") { signalTtl = 1.hours } // kept for ever by default

    paid.set() // ends one await, or is kept for one that comes later

    paid.await() // in any process: consumes the signal
    val another = paid.tryAwait(timeout = 5.seconds) // false: there was none in time
    // endregion
    return another
}

public suspend fun pool(
    signalbox: Signalbox,
    upload: suspend (fencingToken: Long) -> Unit,
) {
    // region pool
    val uploads =
        signalbox.semaphore("uploads", permits = 16) {
            algorithm = SemaphoreAlgorithm.Pool(InitStrategy.SETNX) // not one script
        }

    uploads.withPermit { permit -> upload(permit.fencingToken) }
    // endregion
}

public suspend fun observation(
    signalbox: Signalbox,
    scope: CoroutineScope,
) {
    // region observation
    for (semaphore in signalbox.statistics(limit = 10)) { // of all clients, the most used first
        println("${semaphore.name}: ${semaphore.heldPermits} of ${semaphore.permits} held, ${semaphore.waiting} wait")
    }

    val listening =
        signalbox.addListener( // of this client only
            object : SignalboxListener {
                override fun onGranted(granted: Observation.Granted) = println("${granted.name} after ${granted.waited}")

                override fun onLost(lost: Observation.Lost) = println("${lost.name} lost after ${lost.held}")
            },
        )
    scope.launch { signalbox.observations().collect { println(it) } } // the same as a Flow
    listening.dispose()
    // endregion
}

public suspend fun closing(signalbox: Signalbox) {
    // region closing
    signalbox.close() // begins the goodbye and returns at once; `use` ends with it
    signalbox.closeAndJoin() // suspends until permits are given back and connections closed
    // endregion
}
