package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.AcquireTimeoutException;
import io.signalbox.LeaseLostException;
import io.signalbox.TooManyWaitersException;
import java.io.FileNotFoundException;
import java.time.Duration;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Work with and without a result, within time limits: what compiles without casts, and throws no more than it must. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class WorkTest {
    private static final AcquireOptions SOON = AcquireOptions.within(Duration.ofMillis(20));

    private static final AcquireOptions PATIENTLY = AcquireOptions.within(Duration.ofMinutes(1));

    private final Signalbox signalbox = Signalbox.inMemory();
    private final AtomicInteger exported = new AtomicInteger();

    @AfterEach
    void close() {
        signalbox.close();
    }

    private void export() {
        exported.incrementAndGet();
    }

    private int render() {
        return 7;
    }

    private String read(boolean there) throws FileNotFoundException {
        if (!there) throw new FileNotFoundException("not there");
        return "read";
    }

    /** Nothing checked but the interrupt. */
    @Test
    void workWithoutAResultNeedsNone() throws InterruptedException {
        var semaphore = signalbox.semaphore("api", 1);
        var mutex = signalbox.mutex("report");
        semaphore.withPermit(() -> export());
        semaphore.withPermit(this::export);
        semaphore.runWithPermit(permit -> export());
        semaphore.withPermit(PATIENTLY, () -> export());
        semaphore.runWithPermit(PATIENTLY, permit -> export());
        mutex.withLock(() -> export());
        mutex.runWithLock(permit -> export());
        mutex.withLock(PATIENTLY, () -> export());
        assertEquals(8, exported.get());
        int rendered = semaphore.withPermit(() -> render()) + mutex.withLock(permit -> render());
        assertEquals(14, rendered);
        assertEquals(1, semaphore.availablePermits());
        assertFalse(mutex.isLocked());
    }

    @Test
    void workThrowsWhatItThrows() throws InterruptedException {
        var semaphore = signalbox.semaphore("api", 1);
        try {
            assertEquals("read", semaphore.withPermit(() -> read(true)));
            semaphore.withPermit(permit -> read(false));
            throw new AssertionError("It was to fail.");
        } catch (FileNotFoundException missing) {
            assertEquals("not there", missing.getMessage());
        }
        assertEquals(1, semaphore.availablePermits());
    }

    @Test
    void aLimitTellsNotInTimeFromNull() throws InterruptedException {
        var semaphore = signalbox.semaphore("api", 1);
        var mutex = signalbox.mutex("report");
        Attempt<String> nothing = semaphore.tryWithPermit(Duration.ZERO, permit -> null);
        assertTrue(nothing.hasRun());
        assertNull(nothing.result());
        assertEquals(
                7, mutex.tryWithLock(Duration.ofMinutes(1), permit -> render()).result());
        try (var held = semaphore.acquire();
                var locked = mutex.lock()) {
            assertFalse(held.isLost() || locked.isLost());
            var attempt = semaphore.tryWithPermit(Duration.ofMillis(20), permit -> "ran");
            assertFalse(attempt.hasRun());
            assertEquals("other", attempt.orElse("other"));
            assertEquals("other", attempt.orElseGet(() -> "other"));
            assertThrows(NoSuchElementException.class, attempt::result);
            assertFalse(mutex.tryWithLock(SOON, permit -> "ran").hasRun());
            assertThrows(AcquireTimeoutException.class, () -> semaphore.withPermit(SOON, () -> export()));
            assertThrows(AcquireTimeoutException.class, () -> mutex.withLock(SOON, () -> export()));
            assertThrows(AcquireTimeoutException.class, () -> semaphore.acquire(SOON));
            assertTrue(semaphore.tryAcquire(AcquireOptions.defaults()).isEmpty());
            assertTrue(mutex.tryLock(SOON).isEmpty());
            var future = semaphore.async().tryWithPermit(SOON, permit -> CompletableFuture.completedFuture("ran"));
            assertFalse(future.join().hasRun());
        }
        assertEquals(
                "ran",
                mutex.async()
                        .tryWithLock(PATIENTLY, permit -> CompletableFuture.completedFuture("ran"))
                        .join()
                        .result());
        assertEquals(0, exported.get());
    }

    @Test
    void aHoldIsLimitedByTheAcquire() throws InterruptedException {
        var semaphore = signalbox.semaphore("api", 2);
        var brief = AcquireOptions.defaults().permits(2).maxHold(Duration.ofMillis(30));
        assertThrows(
                LeaseLostException.class, () -> semaphore.withPermit(brief, () -> new CompletableFuture<Void>().get()));
        assertThrows(
                CompletionException.class,
                () -> semaphore
                        .async()
                        .withPermit(brief, permit -> new CompletableFuture<Void>())
                        .join());
        assertThrows(
                IllegalArgumentException.class, () -> signalbox.mutex("report").lock(brief));
        assertThrows(
                IllegalArgumentException.class, () -> AcquireOptions.defaults().permits(0));
        assertThrows(IllegalArgumentException.class, () -> AcquireOptions.within(Duration.ofMillis(-1)));
    }

    @Test
    void othersAreKeptOutForAMinimumHold() throws InterruptedException {
        var once = AcquireOptions.defaults().minHold(Duration.ofHours(1));
        var mutex = signalbox.mutex("report");
        assertEquals(7, mutex.withLock(once, () -> render()));
        var kept = mutex.owner().orElseThrow();
        assertTrue(kept.isKept());
        assertTrue(mutex.tryLock().isEmpty());
        assertFalse(mutex.tryWithLock(once, permit -> "ran").hasRun());
        assertTrue(mutex.revoke(kept.fencingToken()));
        try (var held = mutex.tryLock(once.maxHold(Duration.ofHours(2))).orElseThrow()) {
            assertFalse(held.isLost() || mutex.owner().orElseThrow().isKept());
        }
        assertTrue(mutex.isLocked());

        var semaphore = signalbox.semaphore("api", 3);
        semaphore.withPermit(once, () -> export());
        assertEquals(2, semaphore.availablePermits());
        var async = semaphore.async();
        async.withPermit(once, permit -> CompletableFuture.completedFuture("ran"))
                .join();
        assertTrue(async.acquire(once).join().release().join());
        assertEquals(0, semaphore.availablePermits());

        assertEquals(Duration.ZERO, AcquireOptions.defaults().minHold());
        assertThrows(IllegalArgumentException.class, () -> once.minHold(Duration.ofMillis(-1)));
        var tooLong = once.maxHold(Duration.ofMinutes(1));
        assertThrows(IllegalArgumentException.class, () -> semaphore.tryAcquire(tooLong));
    }

    @Test
    void tooManyWhoWaitAreRefused() throws InterruptedException {
        var mutex =
                signalbox.mutex("report", MutexOptions.builder().maxWaiters(1).build());
        try (var held = mutex.lock()) {
            var waiting = mutex.async().lock();
            assertThrows(TooManyWaitersException.class, mutex::lock);
            held.release();
            waiting.join().close();
        }
    }
}
