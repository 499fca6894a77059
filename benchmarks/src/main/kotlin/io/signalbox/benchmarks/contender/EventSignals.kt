package io.signalbox.benchmarks.contender

import io.signalbox.Event
import io.signalbox.Signalbox

/** This library's event. */
internal class EventSignals private constructor(
    private val client: Signalbox,
    private val event: Event,
) : Signals {
    override suspend fun set() = event.set()

    override suspend fun await() = event.await()

    override suspend fun isSet(): Boolean = event.isSet()

    override fun close() = client.close()

    companion object {
        suspend fun open(arena: Arena): EventSignals {
            val client = Signalbox.connect(arena.uri) { namespace = "bench" }
            return EventSignals(client, client.event(arena.name))
        }
    }
}
