package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.StoreUnavailableException;
import io.signalbox.testkit.RedisServer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Outcomes that are refused or unknown, as Java meets them. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class OutcomesTest {
    private static final Duration LIMIT = Duration.ofMillis(300);

    @Test
    void busyAndDownAreNotTheSame() throws Exception {
        try (var server = RedisServer.start();
                var signalbox = Signalbox.connect(server.getUri())) {
            var semaphore = signalbox.semaphore("down", 1);
            var mutex = signalbox.mutex("down");
            var event = signalbox.event("down");
            var held = semaphore.acquire();
            assertTrue(semaphore.tryAcquire(LIMIT).isEmpty());
            server.kill();
            assertThrows(StoreUnavailableException.class, () -> semaphore.tryAcquire(LIMIT));
            assertThrows(StoreUnavailableException.class, () -> semaphore.acquire(LIMIT));
            assertThrows(StoreUnavailableException.class, () -> mutex.tryLock(LIMIT));
            assertThrows(StoreUnavailableException.class, () -> event.tryAwait(LIMIT));
            var failed = assertThrows(
                    CompletionException.class,
                    () -> semaphore.async().tryAcquire(LIMIT).join());
            assertInstanceOf(StoreUnavailableException.class, failed.getCause());
            assertFalse(held.isLost());
        }
    }

    @Test
    void whatABlockThrowsWinsOverWhatItsReleaseMakesOfIt() throws Exception {
        try (var signalbox = Signalbox.inMemory()) {
            var semaphore = signalbox.semaphore("api", 1);
            var mutex = signalbox.mutex("api");
            var failure = assertThrows(
                    IOException.class,
                    () -> semaphore.withPermit(permit -> {
                        permit.release();
                        throw new IOException("the block's");
                    }));
            assertEquals("the block's", failure.getMessage());
            assertReleasedTwice(failure);
            var locked = assertThrows(
                    IOException.class,
                    () -> mutex.withLock(permit -> {
                        permit.release();
                        throw new IOException("the block's");
                    }));
            assertEquals("the block's", locked.getMessage());
            assertReleasedTwice(locked);
            assertEquals(1, semaphore.availablePermits());
        }
    }

    @Test
    void whatAStageFailsWithWinsOverWhatTheReleaseAtItsEndMakesOfIt() throws Exception {
        try (var signalbox = Signalbox.inMemory()) {
            var semaphore = signalbox.semaphore("api", 1).async();
            var mutex = signalbox.mutex("api").async();
            var permits = semaphore.withPermit(permit -> permit.release()
                    .<String>thenCompose(held -> CompletableFuture.failedFuture(new IOException("the stage's"))));
            var locks = mutex.withLock(permit -> permit.release()
                    .<String>thenCompose(held -> CompletableFuture.failedFuture(new IOException("the stage's"))));
            for (var future : List.of(permits, locks)) {
                var failed = assertThrows(CompletionException.class, future::join);
                var failure = assertInstanceOf(IOException.class, failed.getCause());
                assertEquals("the stage's", failure.getMessage());
                assertReleasedTwice(failure);
            }
            // Alone, it is told.
            var alone = assertThrows(
                    CompletionException.class,
                    () -> semaphore.withPermit(permit -> permit.release()).join());
            assertInstanceOf(IllegalStateException.class, alone.getCause());
            assertEquals(1, semaphore.availablePermits().join());
        }
    }

    /** That the block has released as well is a bug of its own, and not hidden. */
    private static void assertReleasedTwice(Exception failure) {
        assertEquals(1, failure.getSuppressed().length);
        assertInstanceOf(IllegalStateException.class, failure.getSuppressed()[0]);
    }

    @Test
    void aLongestLeaseIsTakenOver() throws Exception {
        var store = InMemoryStore.create();
        var creating = SignalboxOptions.builder().lease(Duration.ofSeconds(2)).build();
        var quarantine = SemaphoreOptions.builder()
                .afterDataLoss(AfterDataLoss.QUARANTINE)
                .longestLease(Duration.ofSeconds(5))
                .build();
        try (var signalbox = Signalbox.inMemory(store, creating);
                var other = Signalbox.inMemory(
                        store,
                        SignalboxOptions.builder().lease(Duration.ofSeconds(6)).build())) {
            signalbox.semaphore("api", 1, quarantine);
            var refusal = assertThrows(IllegalArgumentException.class, () -> other.semaphore("api", 1));
            assertTrue(refusal.getMessage().contains("longestLease"));
        }
    }
}
