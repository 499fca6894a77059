package io.signalbox.event

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.shouldBe
import io.signalbox.Event
import io.signalbox.behaviour.PATIENCE
import io.signalbox.internal.DefaultEvent

/** Returns when [count] coroutines of living clients wait for the event, all clients. */
internal suspend fun Event.awaitWaiting(count: Int) {
    // Not the length of the queue, which has places of dead clients in it too until they reach its head.
    eventually(PATIENCE) { (this@awaitWaiting as DefaultEvent).snapshot(limit = 10_000).queue.size shouldBe count }
}

/** How many signals are kept or on their way. */
internal suspend fun Event.snapshotPermits(): Int = (this as DefaultEvent).run {
    isSet()
    snapshot().permits
}
