package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.AcquireTimeoutException;
import io.signalbox.LeaseLostException;
import io.signalbox.LossReason;
import io.signalbox.SignalboxClosedException;
import io.signalbox.testkit.RedisServer;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is peculiar to threads that wait. What semaphores do is shown by the behaviour suite. */
@Timeout(30)
class BlockingViewTest {
    private static final SemaphoreOptions LIMITED =
            SemaphoreOptions.builder().maxHold(Duration.ofMinutes(10)).build();

    private final Signalbox signalbox = Signalbox.inMemory();

    @AfterEach
    void close() {
        signalbox.close();
    }

    /** Another thread, as one that may wait for ever. */
    private static <T> FutureTask<T> inAnotherThread(Callable<T> call) {
        var task = new FutureTask<>(call);
        var thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    @Test
    void aLockThatItsWorkHasReleasedCanBeTakenAgainByIt() throws Exception {
        var mutex = signalbox.mutex("report");
        var again = new AtomicLong();
        var twice = assertThrows(
                IllegalStateException.class,
                () -> mutex.withLock(permit -> {
                    assertTrue(mutex.tryLock(Duration.ofHours(1)).isEmpty());
                    permit.release();
                    try (var second = mutex.lock()) {
                        again.set(second.fencingToken());
                    }
                    return null;
                }));
        assertTrue(twice.getMessage().contains("already released"), twice.getMessage());
        assertTrue(again.get() > 0);
        mutex.lock().release();
    }

    @Test
    void tryWithResourcesGivesThePermitBack() throws Exception {
        var semaphore = signalbox.semaphore("api", 1);
        try (var permit = semaphore.acquire()) {
            assertEquals("api", permit.name());
            assertEquals(0, semaphore.availablePermits());
        }
        assertEquals(1, semaphore.availablePermits());
    }

    @Test
    void closingAPermitIsIdempotentAndReleasingItTwiceIsNot() throws Exception {
        var semaphore = signalbox.semaphore("api", 2);
        var closed = semaphore.acquire();
        closed.close();
        closed.close();
        closed.async().close();
        assertThrows(IllegalStateException.class, closed::release);
        try (var released = semaphore.acquire()) {
            assertTrue(released.release());
        }
        assertEquals(2, semaphore.availablePermits());
    }

    @Test
    void withPermitReturnsThrowsAndGivesBackOnEveryPath() throws Exception {
        var semaphore = signalbox.semaphore("api", 3);
        assertEquals("result", semaphore.withPermit(() -> "result"));
        assertEquals(3, (int) semaphore.withPermit(3, Grant::permits));
        var thrown = new IOException("broken");
        assertSame(
                thrown,
                assertThrows(
                        IOException.class,
                        () -> semaphore.withPermit(() -> {
                            throw thrown;
                        })));
        assertThrows(
                StackOverflowError.class,
                () -> semaphore.withPermit(() -> {
                    throw new StackOverflowError();
                }));
        assertThrows(
                InterruptedException.class,
                () -> semaphore.withPermit(() -> {
                    Thread.currentThread().interrupt();
                    Thread.sleep(60_000);
                    return "never";
                }));
        assertFalse(Thread.interrupted());
        assertEquals(3, semaphore.availablePermits());
    }

    @Test
    void anInterruptAfterTheWorkLosesNeitherItsResultNorThePermitNorTheInterrupt() throws Exception {
        var semaphore = signalbox.semaphore("api", 1);
        assertEquals("result", semaphore.withPermit(() -> {
            Thread.currentThread().interrupt();
            return "result";
        }));
        assertTrue(Thread.interrupted());
        semaphore.acquire(Waiting.PATIENCE).close();

        var permit = semaphore.acquire();
        Thread.currentThread().interrupt();
        permit.close();
        assertTrue(Thread.interrupted());
        semaphore.acquire(Waiting.PATIENCE).close();
    }

    @Test
    void interruptingAThreadThatWaitsLeavesTheQueue() throws Exception {
        var semaphore = signalbox.semaphore("api", 1);
        var holder = semaphore.acquire();
        var thread = new AtomicReference<Thread>();
        var waiting = inAnotherThread(() -> {
            thread.set(Thread.currentThread());
            return assertThrows(InterruptedException.class, semaphore::acquire);
        });
        Waiting.untilQueued(1, semaphore);
        thread.get().interrupt();
        waiting.get();
        Waiting.untilQueued(0, semaphore);
        holder.close();
        assertEquals(1, semaphore.availablePermits());
    }

    @Test
    void aThreadInterruptedBeforeAsksForNothing() throws Exception {
        var semaphore = signalbox.semaphore("api", 1);
        Thread.currentThread().interrupt();
        assertThrows(InterruptedException.class, semaphore::acquire);
        assertFalse(Thread.currentThread().isInterrupted());
        assertEquals(1, semaphore.availablePermits());
    }

    @Test
    void losingThePermitInterruptsTheWorkAndNothingElse() throws Exception {
        var semaphore = signalbox.semaphore("api", 1, LIMITED);
        var lost = assertThrows(
                LeaseLostException.class,
                () -> semaphore.withPermit(permit -> {
                    permit.extend(Duration.ofMillis(1));
                    new CountDownLatch(1).await();
                    return "never";
                }));
        assertEquals("api", lost.getSemaphore());
        assertInstanceOf(InterruptedException.class, lost.getCause());
        assertFalse(Thread.interrupted());
    }

    @Test
    void workThatIgnoresTheInterruptEndsWithTheLossAndLeavesNoInterrupt() throws Exception {
        var semaphore = signalbox.semaphore("api", 1, LIMITED);
        assertThrows(
                LeaseLostException.class,
                () -> semaphore.withPermit(permit -> {
                    permit.extend(Duration.ofMillis(1));
                    while (!Thread.currentThread().isInterrupted()) Thread.onSpinWait();
                    return "too late";
                }));
        assertFalse(Thread.interrupted());
    }

    @Test
    void aLossIsHeardOf() throws Exception {
        var permit = signalbox.semaphore("api", 1, LIMITED).acquire();
        var heard = new CountDownLatch(1);
        permit.onLost(() -> new AssertionError("taken back")).close();
        permit.onLost(heard::countDown);
        assertFalse(permit.isLost());
        permit.extend(Duration.ofMillis(1));
        heard.await();
        assertTrue(permit.isLost());
        assertFalse(permit.release());
    }

    @Test
    void timeLimits() throws Exception {
        var semaphore = signalbox.semaphore("api", 1);
        var holder = semaphore.tryAcquire().orElseThrow();
        assertTrue(semaphore.tryAcquire().isEmpty());
        assertTrue(semaphore.tryAcquire(Duration.ofMillis(5)).isEmpty());
        var late = assertThrows(AcquireTimeoutException.class, () -> semaphore.acquire(Duration.ofMillis(5)));
        assertEquals("api", late.getSemaphore());
        holder.close();
        semaphore.acquire(java.time.temporal.ChronoUnit.FOREVER.getDuration()).close();
    }

    @Test
    void mutexes() throws Exception {
        var mutex = signalbox.mutex("report");
        assertEquals("result", mutex.withLock(() -> {
            assertThrows(IllegalStateException.class, mutex::lock);
            assertThrows(IllegalStateException.class, () -> mutex.withLock(() -> "inner"));
            assertTrue(mutex.tryLock().isEmpty());
            return inAnotherThread(() -> mutex.tryLock(Duration.ZERO)).get().isEmpty() ? "result" : "two owners";
        }));
        assertTrue(mutex.owner().isEmpty());
        try (var permit = mutex.lock()) {
            assertEquals(permit.fencingToken(), mutex.owner().orElseThrow().fencingToken());
            assertTrue(mutex.isLocked());
            assertThrows(AcquireTimeoutException.class, () -> mutex.lock(Duration.ofMillis(5)));
            assertEquals(1, mutex.snapshot().heldPermits());
        }
        var brief = signalbox.mutex(
                "brief", MutexOptions.builder().maxHold(Duration.ofMillis(20)).build());
        var lost = assertThrows(
                LeaseLostException.class,
                () -> brief.withLock(() -> {
                    new CountDownLatch(1).await();
                    return "never";
                }));
        assertTrue(lost.getMessage().contains("mutex 'brief'"), lost.getMessage());
        brief.lock(Waiting.PATIENCE).close();
    }

    @Test
    void events() throws Exception {
        var event = signalbox.event("done");
        assertFalse(event.tryAwait());
        var waiting = inAnotherThread(() -> {
            event.await();
            return true;
        });
        event.set();
        assertTrue(waiting.get());
        event.set();
        event.set();
        assertTrue(event.isSet());
        event.await(Duration.ZERO);
        assertEquals(1, event.clear());
        var small =
                signalbox.event("small", EventOptions.builder().maxSignals(1).build());
        small.set();
        assertEquals(
                1,
                assertThrows(io.signalbox.EventFullException.class, small::set).getMaxSignals());
        assertThrows(io.signalbox.EventTimeoutException.class, () -> event.await(Duration.ofMillis(5)));
    }

    @Test
    void statisticsAndSnapshots() throws Exception {
        var semaphore = signalbox.semaphore("api", 4);
        try (var permit = semaphore.acquire()) {
            assertEquals(1, semaphore.snapshot().holders().size());
            assertEquals(
                    permit.fencingToken(),
                    semaphore.snapshot(1).holders().get(0).fencingToken());
            assertEquals(3, semaphore.snapshot().availablePermits());
            Waiting.until("listed", () -> signalbox.statistics().size() == 1);
            assertEquals(0.25, signalbox.statistics().get(0).usage());
        }
        assertTrue(signalbox.statistics(java.util.List.of("unknown"), 10).isEmpty());
    }

    @Test
    void oneHandlePerNameWithTwoViews() throws Exception {
        var semaphore = signalbox.semaphore("api", 1);
        assertSame(semaphore, signalbox.semaphore("api", 1));
        assertSame(semaphore, signalbox.async().semaphore("api", 1).get().blocking());
        assertSame(semaphore, signalbox.attach("api"));
        assertSame(signalbox, signalbox.async().blocking());
        assertSame(signalbox.mutex("api"), signalbox.mutex("api").async().blocking());
        assertSame(signalbox.event("api"), signalbox.event("api").async().blocking());
        var permit = semaphore.acquire();
        assertSame(permit, permit.async().blocking());
    }

    @Test
    void revokedWorkIsInterruptedAndToldByWhom() throws Exception {
        var store = InMemoryStore.create();
        var operator = SignalboxOptions.builder().label("operator").build();
        try (var worker = Signalbox.inMemory(store);
                var other = Signalbox.inMemory(store, operator)) {
            var begun = new CountDownLatch(1);
            var semaphore = worker.semaphore("api", 1);
            FutureTask<Object> work = inAnotherThread(() -> {
                try {
                    return semaphore.withPermit(() -> {
                        begun.countDown();
                        new CountDownLatch(1).await(); // interrupted
                        return null;
                    });
                } catch (LeaseLostException lost) {
                    return lost;
                }
            });
            begun.await();
            var view = other.semaphore("api", 1);
            var token = view.snapshot().holders().get(0).fencingToken();
            assertTrue(view.revoke(token));
            var lost = assertInstanceOf(LeaseLostException.class, work.get());
            assertEquals(LossReason.REVOKED, lost.getReason());
            assertEquals("operator", lost.getRevokedBy());
            assertEquals(token, lost.getFencingToken());
            assertFalse(view.revoke(token));
            assertEquals(1, view.availablePermits());
        }
    }

    @Test
    void poolsWithEachStrategy() throws Exception {
        var options = SignalboxOptions.builder()
                .namespace("pool-" + System.nanoTime())
                .build();
        for (var strategy : InitStrategy.values()) {
            try (var client = Signalbox.connect(RedisServer.shared().getUri(), options)) {
                var pool = client.semaphore(
                        "api", 2, SemaphoreOptions.builder().pool(strategy).build());
                assertEquals(2, (int) pool.withPermit(2, Grant::permits));
                assertThrows(IllegalArgumentException.class, () -> client.semaphore("api", 2));
            }
        }
    }

    @Test
    void aClosedClientSaysSo() throws Exception {
        var semaphore = signalbox.semaphore("api", 1);
        var permit = semaphore.acquire();
        signalbox.close();
        signalbox.close();
        assertThrows(SignalboxClosedException.class, semaphore::acquire);
        assertThrows(SignalboxClosedException.class, () -> signalbox.semaphore("api", 1));
        assertTrue(permit.isLost());
        permit.close();
    }
}
