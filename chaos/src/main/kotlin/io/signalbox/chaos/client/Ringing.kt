package io.signalbox.chaos.client

import io.signalbox.Event
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay

/** Sets an event. */
internal class Ringer(
    private val worker: Int,
    private val event: Event,
    private val journal: Journal,
    private val random: Random,
) : Actor {
    override suspend fun play() {
        delay(random.nextInt(30).milliseconds)
        journal.say(What.SETTING, worker, event.name)
        event.set()
        journal.say(What.SET, worker, event.name)
    }
}

/** Awaits an event. */
internal class Listener(
    private val worker: Int,
    private val event: Event,
    private val journal: Journal,
    private val random: Random,
) : Actor {
    override suspend fun play() {
        journal.say(What.AWAITING, worker, event.name)
        if (event.tryAwait(random.nextInt(300).milliseconds)) journal.say(What.GOT, worker, event.name)
    }
}
