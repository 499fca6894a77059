package io.signalbox.examples.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.LeaseLostException;
import io.signalbox.SignalboxClosedException;
import io.signalbox.java.AcquireOptions;
import io.signalbox.java.InMemoryStore;
import io.signalbox.java.Signalbox;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests of code that uses the library, in which no time passes but the test's. */
@Timeout(60)
class ManualClockTest {
    // region manualClock
    @Test
    void aCrashedProcessGivesItsPermitBackAfterOneLease() throws Exception {
        var store = InMemoryStore.withManualClock();
        try (var here = Signalbox.inMemory(store)) {
            var there = Signalbox.inMemory(store); // as in another process
            there.semaphore("reports", 1).acquire();
            store.crash(there);

            var waiting = here.semaphore("reports", 1).async().acquire();
            store.advance(Duration.ofSeconds(29));
            assertFalse(waiting.isDone());
            store.advance(Duration.ofSeconds(2)); // the lease is 30 s

            waiting.get().close();
        }
    }
    // endregion

    @Test
    void limitsAndHoldsFollowTheTestsClock() throws Exception {
        var store = InMemoryStore.withManualClock();
        try (var signalbox = Signalbox.inMemory(store)) {
            var semaphore = signalbox.semaphore("reports", 1);
            var held = semaphore.acquire();
            var waiting = semaphore.async().tryAcquire(Duration.ofHours(1));
            var blocked = CompletableFuture.supplyAsync(() -> {
                try {
                    return semaphore.tryAcquire(Duration.ofHours(2)).isPresent();
                } catch (InterruptedException interrupt) {
                    throw new CompletionException(interrupt);
                }
            });
            while (semaphore.snapshot().queueLength() < 2) Thread.onSpinWait();
            store.advance(Duration.ofMinutes(59));
            assertFalse(waiting.isDone());
            assertFalse(held.isLost());
            store.advance(Duration.ofMinutes(2));
            assertTrue(waiting.get().isEmpty());
            store.advance(Duration.ofHours(1));
            assertFalse(blocked.get());
            held.release();

            var brief = AcquireOptions.defaults().maxHold(Duration.ofMinutes(5));
            var endless = semaphore.async().withPermit(brief, permit -> new CompletableFuture<Void>());
            while (semaphore.availablePermits() > 0) Thread.onSpinWait();
            store.advance(Duration.ofMinutes(6));
            var failure = assertThrows(CompletionException.class, endless::join);
            assertTrue(failure.getCause() instanceof LeaseLostException);
            assertEquals(1, semaphore.availablePermits());
        }
    }

    @Test
    void whoHasCrashedSaysNothingAnyMore() throws Exception {
        var store = InMemoryStore.create();
        var signalbox = Signalbox.inMemory(store);
        var semaphore = signalbox.semaphore("reports", 1);
        store.crash(signalbox);
        assertThrows(SignalboxClosedException.class, semaphore::acquire);
        assertThrows(IllegalArgumentException.class, () -> store.crash(signalbox));
        assertThrows(IllegalStateException.class, () -> store.advance(Duration.ofSeconds(1)));
    }
}
