package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.java.quorum.InMemoryMasters;
import io.signalbox.java.quorum.QuorumOptions;
import io.signalbox.java.quorum.SignalboxQuorum;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** Builders refuse what cannot be, by name and value. */
class OptionsTest {
    private static void refused(String text, Executable call) {
        assertEquals(text, assertThrows(IllegalArgumentException.class, call).getMessage());
    }

    @Test
    void valuesOutOfRangeAreNamed() {
        refused(
                "lease must be from 100ms to 1d, but was 99ms.",
                () -> SignalboxOptions.builder().lease(Duration.ofMillis(99)));
        refused(
                "retention must be from 1s to 365d, but was 366d.",
                () -> SignalboxOptions.builder().retention(Duration.ofDays(366)));
        refused(
                "storeTimeout must be from 10ms to 365d, but was -1ms.",
                () -> SignalboxOptions.builder().storeTimeout(Duration.ofMillis(-1)));
        refused(
                "maxHold must be from 1ms to 365d, but was 0s.",
                () -> SemaphoreOptions.builder().maxHold(Duration.ZERO));
        refused(
                "acquireTimeout must be 1ms or more, but was 0s. Leave it out for no limit.",
                () -> SemaphoreOptions.builder().acquireTimeout(Duration.ZERO));
        refused(
                "lockTimeout must be 1ms or more, but was -5s. Leave it out for no limit.",
                () -> MutexOptions.builder().lockTimeout(Duration.ofSeconds(-5)));
        refused(
                "maxSignals must be from 1 to 1000000, but was 0.",
                () -> EventOptions.builder().maxSignals(0));
        refused(
                "signalTtl must be from 1ms to 365d, but was PT0.000999S.",
                () -> EventOptions.builder().signalTtl(Duration.ofNanos(999_000)));
    }

    private static void refusedFor(String what, Executable call) {
        var text = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(text.startsWith(what + " must "), text);
    }

    @Test
    @Timeout(60)
    void spansOfHundredsOfYearsAreRefusedOrForEver() throws Exception {
        for (var span : List.of(Duration.ofNanos(Long.MAX_VALUE), Duration.ofSeconds(Long.MAX_VALUE))) {
            refusedFor("lease", () -> SignalboxOptions.builder().lease(span));
            refusedFor("retention", () -> SignalboxOptions.builder().retention(span));
            refusedFor("storeTimeout", () -> SignalboxOptions.builder().storeTimeout(span));
            refusedFor("holdWarning", () -> SignalboxOptions.builder().holdWarning(span));
            refusedFor("maxHold", () -> SemaphoreOptions.builder().maxHold(span));
            refusedFor("maxHold", () -> MutexOptions.builder().maxHold(span));
            refusedFor("signalTtl", () -> EventOptions.builder().signalTtl(span));
            refusedFor("timeout", () -> Durability.replicated(1, span));
            refusedFor("timeout", () -> Durability.onDisk(1, span));
            refusedFor("lease", () -> QuorumOptions.builder().lease(span));
            refusedFor("longestLease", () -> QuorumOptions.builder().longestLease(span));
            refusedFor("storeTimeout", () -> QuorumOptions.builder().storeTimeout(span));
            var store = InMemoryStore.withManualClock();
            store.advance(Duration.ofDays(1));
            refusedFor("step", () -> store.advance(span));
            var masters = InMemoryMasters.create();
            try (var client = Signalbox.inMemory();
                    var other = SignalboxQuorum.inMemory(masters);
                    var quorum = SignalboxQuorum.inMemory(masters)) {
                var quarantine = SemaphoreOptions.builder().afterDataLoss(AfterDataLoss.QUARANTINE);
                refusedFor(
                        "longestLease",
                        () -> client.semaphore(
                                "q", 1, quarantine.longestLease(span).build()));
                var semaphore = client.semaphore(
                        "api",
                        1,
                        SemaphoreOptions.builder().acquireTimeout(span).build());
                var options = AcquireOptions.defaults().timeout(span);
                for (var call : List.<Callable<Permit>>of(
                        semaphore::acquire,
                        () -> semaphore.acquire(span),
                        () -> semaphore.tryAcquire(span).orElseThrow(),
                        () -> semaphore.acquire(options),
                        () -> semaphore.tryAcquire(options).orElseThrow())) {
                    waits(semaphore::acquire, client, call);
                }
                var mutex = client.mutex(
                        "m", MutexOptions.builder().lockTimeout(span).build());
                for (var call : List.<Callable<Permit>>of(
                        mutex::lock,
                        () -> mutex.lock(span),
                        () -> mutex.tryLock(span).orElseThrow())) {
                    waits(mutex::lock, client, call);
                }
                var event = client.event("e");
                var awaiting = inAnotherThread(() -> event.tryAwait(span));
                Waiting.until("somebody waits", () -> waiting(client) == 1);
                event.set();
                assertTrue(awaiting.get());
                client.semaphore("plain", 2);
                assertEquals(2, client.attach("plain", span).permits());
                assertTrue(client.ping(span).compareTo(Duration.ZERO) > 0);
                try (var held = semaphore.acquire()) {
                    refusedFor("hold", () -> held.extend(span));
                    assertTrue(semaphore.revoke(held.fencingToken(), span));
                }

                var limited = quorum.semaphore("s", 1, span);
                var locked = quorum.mutex("m", span);
                for (var call : List.<Callable<Permit>>of(
                        limited::acquire,
                        () -> limited.acquire(span),
                        () -> limited.tryAcquire(span).orElseThrow(),
                        locked::lock,
                        () -> locked.lock(span),
                        () -> locked.tryLock(span).orElseThrow())) {
                    var held = List.of(
                            other.semaphore("s", 1).acquire(), other.mutex("m").lock());
                    var waiting = inAnotherThread(call);
                    Waiting.until(
                            "somebody waits",
                            () -> limited.snapshot().waiting()
                                            + locked.snapshot().waiting()
                                    == 1);
                    for (var one : held) one.release();
                    waiting.get().release();
                }
            }
        }
        // What is no number of nanoseconds, in the interface that asks for one.
        try (var client = Signalbox.inMemory()) {
            var mutex = client.mutex("m");
            var held = mutex.lock();
            var waiting = inAnotherThread(() -> mutex.asLock().tryLock(Long.MAX_VALUE, TimeUnit.DAYS));
            Waiting.until("somebody waits", () -> waiting(client) == 1);
            held.release();
            assertTrue(waiting.get());
        }
    }

    /** {@code call} waits until what keeps it waiting is released. */
    private static void waits(Callable<Permit> first, Signalbox client, Callable<Permit> call) throws Exception {
        var held = first.call();
        var waiting = inAnotherThread(call);
        Waiting.until("somebody waits", () -> waiting(client) == 1);
        held.release();
        waiting.get().release();
    }

    private static int waiting(Signalbox client) {
        return client.usage().stream().mapToInt(HandleUsage::waiting).sum();
    }

    private static <T> FutureTask<T> inAnotherThread(Callable<T> call) {
        var task = new FutureTask<>(call);
        var thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    @Test
    void whatOnlyTheClientKnowsIsRefusedWhenItIsMade() {
        var options = SignalboxOptions.builder().namespace("a{b").build();
        var refusal =
                assertThrows(IllegalArgumentException.class, () -> Signalbox.connect("redis://localhost", options));
        assertTrue(refusal.getMessage().contains("a{b"), refusal.getMessage());
        assertThrows(IllegalArgumentException.class, () -> Signalbox.connect("nonsense"));
    }

    @Test
    void optionsSayWhatTheyAre() {
        var options = SemaphoreOptions.builder()
                .maxHold(Duration.ofSeconds(3))
                .bounded(false)
                .build();
        assertEquals(
                "SemaphoreOptions[maxHold=PT3S, acquireTimeout=null, bounded=false, afterDataLoss=GRANT_AT_ONCE, longestLease=null, pool=null, maxWaiters=null, onMismatch=FAIL]",
                options.toString());
        assertEquals(Optional.of(Duration.ofSeconds(3)), options.maxHold());
        assertEquals(Optional.empty(), SemaphoreOptions.defaults().maxHold());
    }
}
