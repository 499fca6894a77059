package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.AcquireTimeoutException;
import io.signalbox.LeaseLostException;
import io.signalbox.testkit.RedisServer;
import java.io.FileNotFoundException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Several locks at once, on a real server. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class MutexesTest {
    private final Signalbox signalbox = Signalbox.connect(
            RedisServer.shared().getUri(),
            SignalboxOptions.builder().namespace("mutexes-" + System.nanoTime()).build());

    @AfterEach
    void close() {
        signalbox.close();
    }

    private Mutex mutex(String name) throws InterruptedException {
        return signalbox.mutex(name);
    }

    @Test
    void whoeverLocksSeveralWaitsForNobodyWhoWaitsForHim() throws Exception {
        var names = List.of("a", "b", "c");
        var inside = new AtomicInteger();
        var threads = Executors.newFixedThreadPool(4);
        try {
            var ends = new ArrayList<java.util.concurrent.Future<Integer>>();
            for (int seed = 0; seed < 4; seed++) {
                var random = new Random(seed);
                ends.add(threads.submit(() -> {
                    int done = 0;
                    for (int i = 0; i < 25; i++) {
                        var mine = new ArrayList<Mutex>();
                        for (var name : names) mine.add(mutex(name));
                        Collections.shuffle(mine, random);
                        done += Mutexes.withLocks(mine, permits -> {
                            assertEquals(1, inside.incrementAndGet());
                            for (int k = 0; k < 3; k++)
                                assertEquals(mine.get(k).name(), permits.get(k).name());
                            inside.decrementAndGet();
                            return 1;
                        });
                    }
                    return done;
                }));
            }
            for (var end : ends) assertEquals(25, end.get());
        } finally {
            threads.shutdownNow();
        }
        for (var name : names) assertFalse(mutex(name).isLocked());
    }

    @Test
    void workThrowsWhatItThrowsAndNothingIsHeldThen() throws InterruptedException {
        try {
            Mutexes.withLocks(List.of(mutex("b"), mutex("a")), () -> read());
            throw new AssertionError("It was to fail.");
        } catch (FileNotFoundException missing) {
            assertEquals("not there", missing.getMessage());
        }
        assertFalse(mutex("a").isLocked() || mutex("b").isLocked());
    }

    private static String read() throws FileNotFoundException {
        throw new FileNotFoundException("not there");
    }

    @Test
    void oneThatIsNotGrantedInTimeLeavesNoneHeld() throws Exception {
        var soon = AcquireOptions.within(Duration.ofMillis(20));
        var both = List.of(mutex("a"), mutex("b"));
        try (var held = mutex("b").lock()) {
            assertThrows(AcquireTimeoutException.class, () -> Mutexes.withLocks(both, soon, permits -> "never"));
            assertFalse(mutex("a").isLocked());
            var futures = List.of(mutex("a").async(), mutex("b").async());
            var late = AsyncMutexes.withLocks(futures, soon, permits -> CompletableFuture.completedFuture("never"));
            assertInstanceOf(
                    AcquireTimeoutException.class,
                    assertThrows(ExecutionException.class, late::get).getCause());
            assertFalse(mutex("a").isLocked() || held.isLost());
        }
    }

    @Test
    void oneThatIsLostInterruptsTheWorkAndIsNamed() throws Exception {
        for (var lost : List.of("a", "b")) {
            var inside = new CountDownLatch(1);
            var both = List.of(mutex("b"), mutex("a"));
            var told = CompletableFuture.supplyAsync(() -> {
                try {
                    return Mutexes.withLocks(both, () -> {
                        inside.countDown();
                        new CompletableFuture<Void>().get();
                        return new AssertionError("never");
                    });
                } catch (Exception problem) {
                    return problem;
                }
            });
            inside.await();
            var token = mutex(lost).owner().orElseThrow().fencingToken();
            assertTrue(mutex(lost).revoke(token));
            var loss = assertInstanceOf(LeaseLostException.class, told.get());
            assertEquals(lost, loss.getSemaphore());
            assertFalse(mutex("a").isLocked() || mutex("b").isLocked());
        }
    }

    @Test
    void futuresLockInTheSameOrder() throws Exception {
        var both = List.of(mutex("b").async(), mutex("a").async());
        var permits = AsyncMutexes.withLocks(
                        both,
                        held -> CompletableFuture.completedFuture(
                                held.stream().map(AsyncPermit::name).toList()))
                .get();
        assertEquals(List.of("b", "a"), permits);
        var waiting = new CompletableFuture<Void>();
        var running = AsyncMutexes.withLocks(both, held -> waiting);
        Waiting.until(
                "both are held",
                Duration.ofSeconds(30),
                () -> mutex("a").isLocked() && mutex("b").isLocked());
        running.cancel(true);
        Waiting.until(
                "both are free",
                Duration.ofSeconds(30),
                () -> !mutex("a").isLocked() && !mutex("b").isLocked());
    }

    @Test
    void noneAndTheSameTwiceAreRefused() throws Exception {
        assertThrows(IllegalArgumentException.class, () -> Mutexes.withLocks(List.of(), () -> "never"));
        var twice = List.of(mutex("a"), mutex("b"), mutex("a"));
        var refusal = assertThrows(IllegalArgumentException.class, () -> Mutexes.withLocks(twice, () -> "never"));
        assertTrue(refusal.getMessage().contains("'a'"), refusal.getMessage());
        var futures = List.of(mutex("a").async(), mutex("a").async());
        var refused = AsyncMutexes.withLocks(futures, held -> CompletableFuture.completedFuture("never"));
        assertInstanceOf(
                IllegalArgumentException.class,
                assertThrows(ExecutionException.class, refused::get).getCause());
    }
}
