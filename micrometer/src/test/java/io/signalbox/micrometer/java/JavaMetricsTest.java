package io.signalbox.micrometer.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.signalbox.java.Signalbox;
import io.signalbox.java.SignalboxOptions;
import io.signalbox.java.timers.NewTimer;
import io.signalbox.java.timers.TimerCodec;
import io.signalbox.java.timers.TimerRouter;
import io.signalbox.java.timers.Timers;
import io.signalbox.java.timers.TimersOptions;
import io.signalbox.java.timers.Topic;
import io.signalbox.micrometer.Tracing;
import io.signalbox.testkit.RedisServer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;

/** Metrics and traces as a Java program has them, on a real server. */
@SuppressWarnings("try") // Workers are closed, and metrics twice.
class JavaMetricsTest {
    private static final Topic<String> JOBS = Topic.of("java-jobs", TimerCodec.text());

    private static Signalbox connect() {
        return Signalbox.connect(
                RedisServer.shared().getUri(),
                SignalboxOptions.builder()
                        .namespace("java-metrics-" + System.nanoTime())
                        .build());
    }

    @Test
    void aClientIsMeasured() throws Exception {
        var registry = new SimpleMeterRegistry();
        try (var signalbox = connect();
                var metrics = SignalboxMetrics.builder(signalbox)
                        .tags(Tags.of("service", "billing"))
                        .nameTag((kind, name) -> name.startsWith("exports") ? "exports" : null)
                        .maxNames(10)
                        .statisticsEvery(Duration.ofSeconds(1))
                        .histograms(false)
                        .build()) {
            metrics.bindTo(registry);
            signalbox.semaphore("exports-1", 1).withPermit(() -> "done");
            signalbox.semaphore("exports-2", 1).withPermit(() -> "done");
            signalbox.mutex("order-1").withLock(() -> "done");
            var acquires = registry.get("signalbox.acquire").tag("service", "billing");
            assertEquals(
                    2,
                    acquires.tags("kind", "semaphore", "name", "exports", "outcome", "granted")
                            .timer()
                            .count());
            var others = registry.get("signalbox.acquire").tags("kind", "mutex", "name", SignalboxMetrics.OTHER);
            assertEquals(1, others.timer().count());
            until(() -> registry.find("signalbox.semaphore.permits").gauge() != null);
            metrics.close();
            assertTrue(registry.getMeters().isEmpty());
        }
    }

    @Test
    void settingsOutOfRangeAreNamed() {
        try (var signalbox = Signalbox.inMemory()) {
            var builder = SignalboxMetrics.builder(signalbox).maxNames(-1);
            assertTrue(assertThrows(IllegalArgumentException.class, builder::build)
                    .getMessage()
                    .contains("maxNames"));
        }
    }

    @Test
    void timersAreMeasuredAndCarryTheTrace() throws Exception {
        var registry = new SimpleMeterRegistry();
        var tracing = new Tracing();
        var observations = SignalboxObservations.of(tracing.getRegistry());
        var handled = new CompletableFuture<Map<String, String>>();
        var router = TimerRouter.builder()
                .blockingHandler(JOBS, observations.blockingHandler((job, timer) -> {
                    assertEquals("signalbox.timer.handle", current(tracing.getRegistry()));
                    handled.complete(timer.metadata());
                }))
                .build();
        try (var signalbox = connect()) {
            var timers = Timers.create(
                    signalbox, TimersOptions.builder().router(router).build());
            TimersMetrics.of(timers, JOBS).bindTo(registry);
            try (var worker = timers.start()) {
                var timer = NewTimer.after("1", "job", Duration.ZERO).metadata(Map.of("tenant", "acme"));
                timers.schedule(JOBS, observations.carried(JOBS, timer));
                var metadata = handled.get(30, TimeUnit.SECONDS);
                assertEquals("acme", metadata.get("tenant"));
                assertTrue(metadata.containsKey("traceparent"));
                until(() -> tracing.spans("handle java-jobs").size() == 1);
                var sent = tracing.spans("schedule java-jobs").get(0);
                assertEquals(
                        sent.getSpanId(),
                        tracing.spans("handle java-jobs").get(0).getParentSpanId());
                until(() -> registry.find("signalbox.timers.run")
                                .tag("outcome", "succeeded")
                                .timer()
                        != null);
                until(() -> registry.find("signalbox.timers.pending")
                                .tag("topic", "java-jobs")
                                .gauge()
                        != null);
            }
        }
    }

    @Test
    void stagesAreObservedToTheirEnd() throws Exception {
        var tracing = new Tracing();
        var observations = SignalboxObservations.of(tracing.getRegistry());
        var stage = new CompletableFuture<Void>();
        var begun = new CompletableFuture<String>();
        var router = TimerRouter.builder()
                .handler(JOBS, observations.handler((job, timer) -> {
                    begun.complete(current(tracing.getRegistry()));
                    return stage;
                }))
                .build();
        try (var signalbox = Signalbox.inMemory()) {
            var timers = Timers.create(
                    signalbox, TimersOptions.builder().router(router).build());
            try (var worker = timers.start()) {
                timers.schedule(JOBS, "1", "job", Duration.ZERO);
                assertEquals("signalbox.timer.handle", begun.get(30, TimeUnit.SECONDS));
                assertTrue(tracing.spans("handle java-jobs").isEmpty());
                stage.complete(null);
                until(() -> tracing.spans("handle java-jobs").size() == 1);
            }
        }
    }

    @Test
    void waitingAndHoldingAreSpans() throws Exception {
        var tracing = new Tracing();
        var observations = SignalboxObservations.of(tracing.getRegistry());
        try (var signalbox = Signalbox.inMemory()) {
            var exports = signalbox.semaphore("exports", 1);
            var result = observations.withPermit(exports, permit -> current(tracing.getRegistry()));
            assertEquals("signalbox.permit.hold", result);
            assertThrows(
                    java.io.IOException.class,
                    () -> observations.withLock(signalbox.mutex("report"), permit -> {
                        throw new java.io.IOException("bad");
                    }));
            assertEquals(1, tracing.spans("wait for semaphore exports").size());
            assertEquals(1, tracing.spans("hold semaphore exports").size());
            assertEquals(
                    1, tracing.spans("hold mutex report").get(0).getEvents().size());
        }
    }

    private static String current(ObservationRegistry registry) {
        Observation observation = registry.getCurrentObservation();
        return observation == null ? "none" : observation.getContext().getName();
    }

    private static void until(BooleanSupplier condition) {
        var end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "It was not so in time.");
            Thread.onSpinWait();
        }
    }
}
