package io.signalbox.java.quorum;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.AcquireTimeoutException;
import io.signalbox.LeaseLostException;
import io.signalbox.PermitsMismatchException;
import io.signalbox.StoreUnavailableException;
import io.signalbox.testkit.RedisServer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Quorums as Java programs use them; what they promise is shown by the tests of their own module. */
class QuorumTest {
    private final InMemoryMasters masters = InMemoryMasters.create();
    private final SignalboxQuorum here = SignalboxQuorum.inMemory(masters);
    private final SignalboxQuorum there = SignalboxQuorum.inMemory(masters);

    @AfterEach
    void close() {
        here.close();
        there.close();
    }

    @Test
    void aMutexExcludesOthersAndTellsWhoHoldsIt() throws Exception {
        var mutex = here.mutex("m");
        assertSame(mutex, here.mutex("m"));
        try (var permit = mutex.lock()) {
            assertTrue(there.mutex("m").tryLock().isEmpty());
            assertTrue(there.mutex("m").isLocked());
            assertEquals(
                    permit.fencingToken(),
                    there.mutex("m").owner().orElseThrow().fencingToken());
            assertThrows(AcquireTimeoutException.class, () -> there.mutex("m").lock(Duration.ofMillis(10)));
        }
        assertTrue(there.mutex("m").tryLock(Duration.ofSeconds(5)).isPresent());
    }

    @Test
    void workRunsUnderAPermitAndAMutexIsNotReentrant() throws Exception {
        assertEquals("done", here.semaphore("s", 2).withPermit(() -> "done"));
        boolean isNumbered = here.semaphore("s", 2).withPermit(permit -> permit.fencingToken() > 0);
        assertTrue(isNumbered);
        var mutex = here.mutex("m");
        mutex.withLock(() -> {
            assertThrows(IllegalStateException.class, mutex::lock);
            return assertTrue2(mutex.tryLock(Duration.ofSeconds(1)).isEmpty());
        });
        assertEquals(2, there.semaphore("s", 2).availablePermits());
    }

    private static boolean assertTrue2(boolean value) {
        assertTrue(value);
        return value;
    }

    @Test
    void futuresWaitAndCancellingOneLeavesTheQueue() throws Exception {
        var async = there.async();
        var mutex = async.mutex("m").get();
        var permit = here.mutex("m").lock();
        var cancelled = mutex.lock();
        var waiting = mutex.lock();
        assertTrue(cancelled.cancel(false));
        assertThrows(CancellationException.class, cancelled::join);
        assertTrue(permit.release());
        var granted = waiting.get(10, TimeUnit.SECONDS);
        assertTrue(granted.fencingToken() > permit.fencingToken());
        assertTrue(granted.release().get(10, TimeUnit.SECONDS));
        assertEquals(
                7, mutex.withLock(() -> CompletableFuture.completedFuture(7)).get(10, TimeUnit.SECONDS));
        assertTrue(mutex.tryLock().get(10, TimeUnit.SECONDS).isPresent());
    }

    @Test
    void countsAreDeclaredResizedAndSeen() throws Exception {
        var semaphore = here.semaphore("s", 3, Duration.ofMillis(20));
        var mismatch = assertThrows(PermitsMismatchException.class, () -> there.semaphore("s", 4));
        assertEquals(3, mismatch.getDeclared());
        var permit = semaphore.acquire();
        var snapshot = there.semaphore("s", 3).snapshot();
        assertEquals(1, snapshot.heldPermits());
        assertEquals(2, snapshot.availablePermits());
        assertEquals(3, snapshot.masters().size());
        var others = List.of(semaphore.acquire(), semaphore.acquire());
        semaphore.resize(1);
        assertEquals(1, there.semaphore("s", 3).permits());
        assertEquals(0, there.semaphore("s", 3).availablePermits());
        assertThrows(AcquireTimeoutException.class, semaphore::acquire);
        assertFalse(permit.isLost());
        assertTrue(permit.release());
        for (var other : others) assertTrue(other.release());
        assertEquals(1, semaphore.availablePermits());
    }

    @Test
    void aLossInterruptsTheWork() throws Exception {
        var options = QuorumOptions.builder().lease(Duration.ofMillis(500)).build();
        try (var client = SignalboxQuorum.inMemory(InMemoryMasters.create(5), options)) {
            assertEquals(5, client.masters());
            client.mutex("m");
        }
        var failing = InMemoryMasters.create();
        try (var client = SignalboxQuorum.inMemory(failing, options)) {
            var mutex = client.mutex("m");
            var never = new CountDownLatch(1);
            assertThrows(
                    LeaseLostException.class,
                    () -> mutex.withLock(() -> {
                        failing.stop(0);
                        failing.stop(1);
                        never.await();
                        return null;
                    }));
        }
    }

    @Test
    void errorsOfOneMasterAreToldToThoseWhoWantThem() throws Exception {
        var options = QuorumOptions.builder()
                .onMasterError(MasterErrors.THROW)
                .storeTimeout(Duration.ofSeconds(1))
                .build();
        try (var strict = SignalboxQuorum.inMemory(masters, options)) {
            var mutex = strict.mutex("m");
            masters.stop(2);
            assertThrows(StoreUnavailableException.class, mutex::tryLock);
            var failed = assertThrows(
                    ExecutionException.class, () -> mutex.async().lock().get(10, TimeUnit.SECONDS));
            assertInstanceOf(StoreUnavailableException.class, failed.getCause());
            assertTrue(here.mutex("m").tryLock().isPresent());
            masters.start(2, true);
        }
    }

    @Test
    void badValuesAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> InMemoryMasters.create(4));
        assertThrows(IllegalArgumentException.class, () -> SignalboxQuorum.connect(List.of("redis://a")));
        assertThrows(
                IllegalArgumentException.class, () -> QuorumOptions.builder().lease(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> here.semaphore("s", 0));
        assertThrows(IllegalArgumentException.class, () -> masters.stop(3));
        var options = QuorumOptions.builder()
                .lease(Duration.ofSeconds(2))
                .longestLease(Duration.ofSeconds(1))
                .build();
        assertThrows(IllegalArgumentException.class, () -> SignalboxQuorum.inMemory(masters, options));
    }

    @Test
    void onRealServersAfterTheirFirstLease() throws Exception {
        try (var a = RedisServer.start();
                var b = RedisServer.start();
                var c = RedisServer.start()) {
            var options = QuorumOptions.builder()
                    .lease(Duration.ofSeconds(1))
                    .label("java")
                    .build();
            try (var client = SignalboxQuorum.connect(List.of(a.getUri(), b.getUri(), c.getUri()), options)) {
                var mutex = client.mutex("m");
                assertTrue(mutex.tryLock().isEmpty());
                try (var permit = mutex.lock(Duration.ofSeconds(20))) {
                    assertEquals("java", mutex.owner().orElseThrow().label());
                    assertFalse(permit.isLost());
                }
                var closed = client.async().closeAsync();
                closed.get(20, TimeUnit.SECONDS);
                assertThrows(
                        CompletionException.class, () -> mutex.async().lock().join());
            }
        }
    }
}
