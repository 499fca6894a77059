package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.testkit.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Futures cancelled at random moments, on many threads: nothing is left behind.
 *
 * <p>More of them with {@code -Dsignalbox.acquires=100000}.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class CancellationRaceTest {
    private static final int PERMITS = 8;
    private static final int ACQUIRES = Integer.getInteger("signalbox.acquires", 10_000);

    @Test
    void acquiresCancelledAtRandomMomentsLeakNoPermitOnRedis() throws Exception {
        var options = SignalboxOptions.builder()
                .namespace("race-" + System.nanoTime())
                .build();
        try (var signalbox = Signalbox.connect(RedisServer.shared().getUri(), options)) {
            race(signalbox.semaphore("api", PERMITS).async(), ACQUIRES);
        }
    }

    @Test
    void acquiresCancelledAtRandomMomentsLeakNoPermitInMemory() throws Exception {
        try (var signalbox = Signalbox.inMemory()) {
            race(signalbox.semaphore("api", PERMITS).async(), ACQUIRES);
        }
    }

    private static void race(AsyncSemaphore semaphore, int rounds) throws Exception {
        var seed = new Random().nextLong();
        System.out.println("CancellationRaceTest: seed " + seed);
        var held = new AtomicInteger();
        var most = new AtomicInteger();
        var uses = new AtomicInteger();
        var cancelled = new AtomicInteger();
        var timer = Executors.newScheduledThreadPool(2);
        try {
            var workers = new ArrayList<CompletableFuture<?>>();
            int count = 100;
            for (int worker = 0; worker < count; worker++) {
                var random = new Random(seed + worker);
                var loop = new Loop(rounds / count, () -> {
                    var acquire = semaphore.acquire(random.nextInt(8) == 0 ? 2 : 1);
                    var used = acquire.thenCompose(permit -> {
                        uses.incrementAndGet();
                        most.accumulateAndGet(held.addAndGet(permit.permits()), Math::max);
                        held.addAndGet(-permit.permits());
                        return permit.release();
                    });
                    int moment = random.nextInt(2000);
                    if (moment < 300) {
                        if (acquire.cancel(true)) cancelled.incrementAndGet();
                    } else if (moment < 1900) { // the rest is granted, however slow the machine
                        timer.schedule(
                                () -> {
                                    if (acquire.cancel(true)) cancelled.incrementAndGet();
                                },
                                moment,
                                TimeUnit.MICROSECONDS);
                    }
                    return used.handle((ok, failure) -> null);
                });
                workers.add(loop.run());
            }
            CompletableFuture.allOf(workers.toArray(CompletableFuture[]::new)).get();
        } finally {
            timer.shutdownNow();
        }
        System.out.println("CancellationRaceTest: " + uses + " granted, " + cancelled + " cancelled");
        assertTrue(uses.get() > rounds / 100, uses + " granted");
        assertTrue(cancelled.get() > rounds / 100, cancelled + " cancelled");
        assertEquals(0, held.get());
        assertTrue(most.get() <= PERMITS, most + " at a time");
        var blocking = semaphore.blocking();
        Waiting.until("nobody holds or waits", () -> {
            var snapshot = blocking.snapshot();
            return snapshot.heldPermits() == 0 && snapshot.queueLength() == 0;
        });
        blocking.acquire(PERMITS, Duration.ofSeconds(20)).close();
    }

    @Test
    void noSignalIsLostOrDoubledWhenAwaitsAreCancelled() throws Exception {
        int sets = 2_000;
        try (var signalbox = Signalbox.inMemory()) {
            var event = signalbox.event("done");
            var awaits = new ArrayList<CompletableFuture<?>>();
            for (int i = 0; i < sets; i++) awaits.add(event.async().await());
            var setting = CompletableFuture.runAsync(() -> {
                for (int i = 0; i < sets; i++) event.async().set();
            });
            int cancelled = 0;
            for (int i = 0; i < sets; i += 2) if (awaits.get(i).cancel(true)) cancelled++;
            setting.get();
            int unserved = cancelled;
            var drained = new AtomicInteger();
            Waiting.until("as many signals kept as awaits were cancelled", () -> {
                while (event.tryAwait()) drained.incrementAndGet();
                return drained.get() == unserved;
            });
            for (var await : awaits) if (!await.isCancelled()) await.get();
            assertEquals(0, event.clear());
        }
    }

    /** One round after another, without a thread. */
    private record Loop(int rounds, java.util.function.Supplier<CompletableFuture<?>> round) {
        CompletableFuture<?> run() {
            if (rounds == 0) return CompletableFuture.completedFuture(null);
            return round.get()
                    .thenComposeAsync(ignored -> new Loop(rounds - 1, round).run(), ForkJoinPool.commonPool());
        }
    }
}
