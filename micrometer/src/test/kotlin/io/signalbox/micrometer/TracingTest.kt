package io.signalbox.micrometer

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.micrometer.observation.Observation
import io.micrometer.observation.ObservationRegistry
import io.opentelemetry.api.common.AttributeKey.stringKey
import io.opentelemetry.api.trace.StatusCode
import io.opentelemetry.sdk.trace.data.SpanData
import io.signalbox.AcquireTimeoutException
import io.signalbox.Signalbox
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Timers
import io.signalbox.timers.topic
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield

private val Traced = topic<String>("traced-jobs")

class TracingTest :
    FunSpec({
        fun SpanData.tag(name: String) = attributes.get(stringKey(name))

        suspend fun Tracing.within(
            name: String,
            block: suspend () -> Unit,
        ): SpanData {
            io.signalbox.micrometer.internal.Spans.during(Observation.createNotStarted(name, registry)) { block() }
            return spans(name).single()
        }

        test("waiting and holding are spans within the caller's, and the block runs in the second") {
            val tracing = Tracing()
            val signalbox = Signalbox.inMemory()
            val exports = signalbox.semaphore("exports", permits = 1)
            val mutex = signalbox.mutex("report")
            var token = 0L
            val request =
                tracing.within("request") {
                    exports.withObservedPermit(tracing.registry) { permit ->
                        token = permit.fencingToken
                        yield()
                        tracing.registry.currentObservation?.context?.name shouldBe "signalbox.permit.hold"
                    }
                    tracing.registry.currentObservation?.context?.name shouldBe "request"
                    mutex.withObservedLock(tracing.registry) { }
                }
            val wait = tracing.spans("wait for semaphore exports").single()
            val hold = tracing.spans("hold semaphore exports").single()
            wait.parentSpanId shouldBe request.spanId
            hold.parentSpanId shouldBe request.spanId
            (wait.endEpochNanos <= hold.startEpochNanos) shouldBe true
            hold.tag("signalbox.fencing.token") shouldBe "$token"
            hold.tag("signalbox.name") shouldBe "exports"
            tracing.spans("hold mutex report").single().traceId shouldBe request.traceId
            signalbox.closeAndJoin()
        }

        test("a wait in vain, and a block that fails, are spans with the error") {
            val tracing = Tracing()
            val signalbox = Signalbox.inMemory()
            val closed = signalbox.semaphore("closed", permits = 0) { acquireTimeout = 1.milliseconds }
            shouldThrow<AcquireTimeoutException> { closed.withObservedPermit(tracing.registry) { } }
            val exports = signalbox.semaphore("exports", permits = 1)
            shouldThrow<IllegalStateException> { exports.withObservedPermit(tracing.registry) { error("bad") } }
            tracing.spans("wait for semaphore closed").single().status.statusCode shouldBe StatusCode.ERROR
            tracing.spans("wait for semaphore exports").single().status.statusCode shouldNotBe StatusCode.ERROR
            tracing.spans("hold semaphore exports").single().status.statusCode shouldBe StatusCode.ERROR
            signalbox.closeAndJoin()
        }

        test("a registry without handlers costs nothing and changes nothing") {
            val signalbox = Signalbox.inMemory()
            signalbox.semaphore("exports", permits = 1).withObservedPermit(ObservationRegistry.NOOP) { it.name } shouldBe "exports"
            signalbox.closeAndJoin()
        }

        test("a trace travels with a timer, through the store, and on to the timers that its handler sets") {
            val tracing = Tracing()
            val signalbox = Signalbox.connect(RedisServer.shared().uri) { namespace = "traced-${System.nanoTime()}" }
            val handled = Channel<Map<String, String>>(Channel.UNLIMITED)
            lateinit var timers: Timers
            timers =
                Timers(signalbox) {
                    observe(tracing.registry)
                    on(Traced) { job ->
                        tracing.registry.currentObservation?.context?.name shouldBe "signalbox.timer.handle"
                        if (job == "first") timers.schedule(Traced, "2", "second", after = Duration.ZERO)
                        handled.send(metadata)
                    }
                }.observed(tracing.registry)
            val worker = launch { timers.run() }
            val request =
                tracing.within("request") {
                    timers.schedule(Traced, "1", "first", after = Duration.ZERO, metadata = mapOf("tenant" to "acme"))
                }
            val first = handled.receive()
            val second = handled.receive()
            first["tenant"] shouldBe "acme"
            first["traceparent"] shouldNotBe null
            second["tenant"] shouldBe "acme"
            second["traceparent"] shouldNotBe first["traceparent"]
            until { tracing.spans("handle traced-jobs").size == 2 }
            val (one, two) = tracing.spans("handle traced-jobs").sortedBy { it.startEpochNanos }
            val sent = tracing.spans("schedule traced-jobs").sortedBy { it.startEpochNanos }
            sent[0].parentSpanId shouldBe request.spanId
            one.parentSpanId shouldBe sent[0].spanId
            sent[1].parentSpanId shouldBe one.spanId
            two.parentSpanId shouldBe sent[1].spanId
            listOf(one, two).map { it.traceId }.distinct() shouldBe listOf(request.traceId)
            one.tag("signalbox.timer.id") shouldBe "1"

            timers.scheduleAll(Traced, listOf(NewTimer("3", "third", Duration.ZERO)))
            (handled.receive()["traceparent"] ?: "").substring(3, 35) shouldNotBe request.traceId
            worker.cancel()
            signalbox.closeAndJoin()
        }

        test("without being asked for there are none") {
            val tracing = Tracing()
            val signalbox = Signalbox.inMemory()
            val handled = CompletableDeferred<Map<String, String>>()
            val timers = Timers(signalbox) { on(Traced) { handled.complete(metadata) } }
            val worker = launch { timers.run() }
            timers.schedule(Traced, "1", "first", after = Duration.ZERO)
            handled.await() shouldBe emptyMap()
            worker.cancel()
            tracing.all.shouldBeEmpty()
            signalbox.closeAndJoin()
        }
    })
