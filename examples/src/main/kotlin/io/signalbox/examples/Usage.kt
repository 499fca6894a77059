package io.signalbox.examples

import io.signalbox.Signalbox
import io.signalbox.use
import io.signalbox.withPermit
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** What the README shows; `ReadmeTest` keeps the two the same. */
public suspend fun usage(
    uri: String,
    export: suspend (fencingToken: Long) -> Unit,
) {
    // region usage
    val signalbox =
        Signalbox.connect(uri) {
            namespace = "billing" // clients with different namespaces share nothing
            label = "billing-7" // what others see in snapshots
            lease = 20.seconds // how fast a crash heals, against how long an outage is survived
        }
    val exports = signalbox.semaphore("exports", permits = 4) { maxHold = 10.minutes }

    exports.withPermit { permit -> export(permit.fencingToken) } // released on every path, cancelled if the permit is lost
    exports.withPermit(permits = 2) { permit -> export(permit.fencingToken) } // two at once, atomically

    val permit = exports.tryAcquire(timeout = 2.seconds) // null when not in time
    permit?.use { export(it.fencingToken) } // released on every path, too

    val another = exports.tryAcquire() // now or not at all
    val wasHeld = another?.release() // true: it was still held

    val theirs = signalbox.attach("other-teams-limit") // never sets the count; waits for the creator
    println(theirs.snapshot()) // who holds, who waits, since when
    exports.resize(8) // for every process; shrinking revokes nothing
    // endregion
    println(wasHeld)
    signalbox.closeAndJoin()
}
