package io.signalbox.micrometer.internal

import io.micrometer.common.KeyValue
import io.micrometer.common.KeyValues
import io.micrometer.observation.Observation
import io.micrometer.observation.ObservationRegistry
import io.micrometer.observation.transport.Kind
import io.micrometer.observation.transport.Propagator
import io.micrometer.observation.transport.ReceiverContext
import io.micrometer.observation.transport.SenderContext
import io.signalbox.Permit
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.withContext

/** The observations that are made, whoever asks for them. Their names are others than those of the meters, for handlers make meters of them too. */
internal object Spans {
    private const val WAIT = "signalbox.permit.wait"
    private const val HOLD = "signalbox.permit.hold"
    private const val SCHEDULE = "signalbox.timer.schedule"
    private const val HANDLE = "signalbox.timer.handle"

    fun wait(
        registry: ObservationRegistry,
        kind: String,
        name: String,
    ): Observation = of(registry, WAIT, "wait for", kind, name)

    fun hold(
        registry: ObservationRegistry,
        kind: String,
        name: String,
        fencingToken: Long,
    ): Observation = of(registry, HOLD, "hold", kind, name).highCardinalityKeyValue("signalbox.fencing.token", "$fencingToken")

    private fun of(
        registry: ObservationRegistry,
        span: String,
        verb: String,
        kind: String,
        name: String,
    ): Observation =
        Observation
            .createNotStarted(span, registry)
            .contextualName("$verb $kind $name")
            .lowCardinalityKeyValue("signalbox.kind", kind)
            .highCardinalityKeyValue("signalbox.name", name)

    /** The carrier of its context is what is to travel with the timer. */
    fun schedule(
        registry: ObservationRegistry,
        topic: String,
        carrier: MutableMap<String, String>,
    ): Observation {
        val context = SenderContext<MutableMap<String, String>>(INTO_MAP, Kind.PRODUCER)
        context.setCarrier(carrier)
        return Observation
            .createNotStarted(SCHEDULE, { context }, registry)
            .contextualName("schedule $topic")
            .lowCardinalityKeyValue("signalbox.topic", topic)
    }

    fun handle(
        registry: ObservationRegistry,
        topic: String,
        id: String,
        attempt: Int,
        metadata: Map<String, String>,
    ): Observation {
        val context = ReceiverContext<Map<String, String>>(FROM_MAP, Kind.CONSUMER)
        context.setCarrier(metadata)
        return Observation
            .createNotStarted(HANDLE, { context }, registry)
            .contextualName("handle $topic")
            .lowCardinalityKeyValue("signalbox.topic", topic)
            .highCardinalityKeyValues(
                KeyValues.of(KeyValue.of("signalbox.timer.id", id), KeyValue.of("signalbox.timer.attempt", "$attempt")),
            )
    }

    /** Runs [run], which is to call what it is given once it has a permit, with a span around the wait and one around the block. */
    suspend fun <T> waitAndHold(
        registry: ObservationRegistry,
        kind: String,
        name: String,
        run: suspend (suspend CoroutineScope.(Permit) -> T) -> T,
        block: suspend CoroutineScope.(Permit) -> T,
    ): T {
        if (registry.isNoop) return run(block)
        // Named now: the coroutine may go on where another one is current.
        val parent = registry.currentObservation
        val wait = wait(registry, kind, name).parentObservation(parent).start()
        var waiting = true
        try {
            return run { permit ->
                waiting = false
                wait.stop()
                during(hold(registry, kind, name, permit.fencingToken).parentObservation(parent)) { block(permit) }
            }
        } catch (problem: Throwable) {
            if (waiting) wait.error(problem).stop()
            throw problem
        }
    }

    /** Runs [block] as what [observation] is about, and the current one in it. */
    suspend fun <T> during(
        observation: Observation,
        block: suspend CoroutineScope.() -> T,
    ): T {
        observation.start()
        try {
            return withContext(ObservationElement(observation), block)
        } catch (problem: Throwable) {
            observation.error(problem)
            throw problem
        } finally {
            observation.stop()
        }
    }

    private val INTO_MAP = Propagator.Setter<MutableMap<String, String>> { carrier, key, value -> carrier?.set(key, value) }
    private val FROM_MAP = Propagator.Getter<Map<String, String>> { carrier, key -> carrier[key] }
}
