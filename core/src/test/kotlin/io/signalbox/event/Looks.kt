package io.signalbox.event

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.shouldBe
import io.signalbox.Event
import io.signalbox.behaviour.PATIENCE
import io.signalbox.internal.DefaultEvent

/** An event that is a view of another one, at which the suite can look. */
interface Lookable {
    suspend fun look(): Event
}

private suspend fun Event.seen() = (if (this is Lookable) look() else this) as DefaultEvent

/** Returns when [count] coroutines of living clients wait for the event, all clients. */
internal suspend fun Event.awaitWaiting(count: Int) {
    // Not the length of the queue, which has places of dead clients in it too until they reach its head.
    eventually(PATIENCE) { seen().snapshot(limit = 10_000).queue.size shouldBe count }
}

/** How many signals are kept or on their way. */
internal suspend fun Event.snapshotPermits(): Int = seen().run {
    isSet()
    snapshot().permits
}
