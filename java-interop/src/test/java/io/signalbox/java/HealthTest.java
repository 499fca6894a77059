package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.AcquireTimeoutException;
import io.signalbox.ConnectionState;
import io.signalbox.SignalboxClosedException;
import io.signalbox.StoreUnavailableException;
import io.signalbox.testkit.FaultProxy;
import io.signalbox.testkit.RedisServer;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What health checks and gauges ask, and what listeners hear when things do not go well, on a real server that can be cut off. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class HealthTest {
    private static final Duration SOON = Duration.ofMillis(20);

    private static Signalbox connect(FaultProxy proxy, SignalboxOptions.Builder options) {
        var uri = "redis://" + proxy.getHost() + ":" + proxy.getPort();
        return Signalbox.connect(
                uri, options.namespace("health-" + System.nanoTime()).build());
    }

    /** All that a listener was told, but for exchanges. */
    private static class Told implements SignalboxListener {
        final Queue<Observation> all = new ConcurrentLinkedQueue<>();

        @Override
        public void onTimedOut(Observation.TimedOut timedOut) {
            all.add(timedOut);
        }

        @Override
        public void onRefused(Observation.Refused refused) {
            all.add(refused);
        }

        @Override
        public void onHeldLong(Observation.HeldLong heldLong) {
            all.add(heldLong);
        }

        @Override
        public void onDisconnected(Observation.Disconnected disconnected) {
            all.add(disconnected);
        }

        @Override
        public void onReconnected(Observation.Reconnected reconnected) {
            all.add(reconnected);
        }

        <O extends Observation> Stream<O> of(Class<O> kind) {
            return all.stream().filter(kind::isInstance).map(kind::cast);
        }

        <O extends Observation> O awaitOne(Class<O> kind) throws Exception {
            Waiting.until(kind.getSimpleName(), () -> of(kind).findAny().isPresent());
            return of(kind).findFirst().orElseThrow();
        }
    }

    @Test
    void aPingTakesTheTimeOfARoundTripOrFailsInTime() throws Exception {
        try (var proxy = new FaultProxy(RedisServer.shared());
                var signalbox = connect(proxy, SignalboxOptions.builder())) {
            assertTrue(signalbox.ping().compareTo(Duration.ZERO) > 0);
            assertTrue(signalbox.async().ping().get().compareTo(Duration.ZERO) > 0);
            proxy.stall();
            assertThrows(StoreUnavailableException.class, () -> signalbox.ping(SOON));
            proxy.resume();
            assertTrue(signalbox.ping().compareTo(Duration.ZERO) > 0);
        }
    }

    @Test
    void theStateIsThatOfTheConnection() throws Exception {
        try (var proxy = new FaultProxy(RedisServer.shared())) {
            var signalbox = connect(proxy, SignalboxOptions.builder());
            try {
                assertEquals(ConnectionState.NOT_CONNECTED, signalbox.state());
                signalbox.ping();
                assertEquals(ConnectionState.CONNECTED, signalbox.state());
                proxy.refuseConnections();
                proxy.cut();
                Waiting.until("reconnecting", () -> signalbox.state() == ConnectionState.RECONNECTING);
                proxy.refuseConnections(false);
                Waiting.until("connected", () -> signalbox.state() == ConnectionState.CONNECTED);
            } finally {
                signalbox.close();
            }
            assertEquals(ConnectionState.CLOSED, signalbox.state());
            assertThrows(SignalboxClosedException.class, signalbox::ping);
        }
    }

    @Test
    void usageSaysWhatThisClientHoldsAndWaitsFor() throws Exception {
        try (var proxy = new FaultProxy(RedisServer.shared());
                var signalbox = connect(proxy, SignalboxOptions.builder())) {
            assertEquals(List.of(), signalbox.usage());
            var semaphore = signalbox.semaphore("exports", 3);
            var report = signalbox.mutex("report");
            try (var held = semaphore.acquire(2)) {
                var waiting = semaphore.async().acquire(2);
                Waiting.untilQueued(1, semaphore);
                assertEquals(new HandleUsage(Observation.Kind.SEMAPHORE, "exports", 2, 1), usage(signalbox, "exports"));
                assertEquals(new HandleUsage(Observation.Kind.MUTEX, "report", 0, 0), usage(signalbox, "report"));
                assertTrue(held.release());
                waiting.get().close();
            }
            Waiting.until("nothing is held", () -> usage(signalbox, "exports").heldPermits() == 0);
            assertEquals(0, usage(signalbox, "exports").waiting());
            // Somebody has them until here: what nobody has is forgotten.
            assertEquals("exports, report", semaphore.name() + ", " + report.name());
        }
    }

    private static HandleUsage usage(Signalbox signalbox, String name) {
        return signalbox.usage().stream()
                .filter(it -> it.name().equals(name))
                .findAny()
                .orElseThrow();
    }

    @Test
    void listenersHearOfWaitsInVainRefusalsAndLongHolds() throws Exception {
        try (var proxy = new FaultProxy(RedisServer.shared());
                var signalbox = connect(proxy, SignalboxOptions.builder().holdWarning(Duration.ofMillis(10)))) {
            var told = new Told();
            signalbox.addListener(told);
            var semaphore = signalbox.semaphore("exports", 1);
            try (var held = semaphore.acquire()) {
                assertThrows(AcquireTimeoutException.class, () -> semaphore.acquire(SOON));
                var timedOut = told.awaitOne(Observation.TimedOut.class);
                assertEquals("exports", timedOut.name());
                assertEquals(1, timedOut.permits());
                assertTrue(timedOut.waited().compareTo(SOON) >= 0, timedOut.toString());

                assertTrue(semaphore.tryAcquire().isEmpty());
                var refused = told.awaitOne(Observation.Refused.class);
                assertEquals(Observation.Refusal.TAKEN, refused.reason());

                var heldLong = told.awaitOne(Observation.HeldLong.class);
                assertEquals(held.fencingToken(), heldLong.fencingToken());
                assertTrue(heldLong.held().compareTo(Duration.ofMillis(10)) >= 0, heldLong.toString());
            }
            assertThrows(IllegalArgumentException.class, () -> semaphore.acquire(2));
            Waiting.until(
                    "impossible",
                    () -> told.of(Observation.Refused.class)
                            .anyMatch(it -> it.reason() == Observation.Refusal.IMPOSSIBLE && it.permits() == 2));
            assertEquals(0, told.of(Observation.Disconnected.class).count());
        }
    }

    @Test
    void listenersHearOfConnectionsThatAreLostAndReplaced() throws Exception {
        try (var proxy = new FaultProxy(RedisServer.shared());
                var signalbox = connect(proxy, SignalboxOptions.builder())) {
            var told = new Told();
            signalbox.addListener(told);
            signalbox.ping();
            proxy.cut();
            assertFalse(told.awaitOne(Observation.Disconnected.class).blocking());
            assertFalse(told.awaitOne(Observation.Reconnected.class).blocking());
        }
    }
}
