package io.signalbox.micrometer

import io.micrometer.observation.ObservationHandler
import io.micrometer.observation.ObservationRegistry
import io.micrometer.tracing.handler.DefaultTracingObservationHandler
import io.micrometer.tracing.handler.PropagatingReceiverTracingObservationHandler
import io.micrometer.tracing.handler.PropagatingSenderTracingObservationHandler
import io.micrometer.tracing.otel.bridge.OtelCurrentTraceContext
import io.micrometer.tracing.otel.bridge.OtelPropagator
import io.micrometer.tracing.otel.bridge.OtelTracer
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator
import io.opentelemetry.context.propagation.ContextPropagators
import io.opentelemetry.sdk.testing.exporter.InMemorySpanExporter
import io.opentelemetry.sdk.trace.SdkTracerProvider
import io.opentelemetry.sdk.trace.data.SpanData
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor

/** Observations that become spans of OpenTelemetry, kept in memory. */
class Tracing {
    private val exporter = InMemorySpanExporter.create()

    val registry: ObservationRegistry =
        ObservationRegistry.create().apply {
            val provider = SdkTracerProvider.builder().addSpanProcessor(SimpleSpanProcessor.create(exporter)).build()
            val otel = provider.get("test")
            val tracer = OtelTracer(otel, OtelCurrentTraceContext()) { }
            val propagator = OtelPropagator(ContextPropagators.create(W3CTraceContextPropagator.getInstance()), otel)
            observationConfig().observationHandler(
                ObservationHandler.FirstMatchingCompositeObservationHandler(
                    PropagatingSenderTracingObservationHandler(tracer, propagator),
                    PropagatingReceiverTracingObservationHandler(tracer, propagator),
                    DefaultTracingObservationHandler(tracer),
                ),
            )
        }

    /** What has ended, in that order. */
    val all: List<SpanData> get() = exporter.finishedSpanItems

    fun spans(name: String): List<SpanData> = all.filter { it.name == name }
}
