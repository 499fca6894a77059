package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.testkit.RedisServer;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A mutex as {@link java.util.concurrent.locks.Lock}. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class LockViewTest {
    private final String name = UUID.randomUUID().toString();
    private final Signalbox signalbox = Signalbox.connect(RedisServer.shared().getUri());

    @AfterEach
    void close() {
        signalbox.close();
    }

    @Test
    void aThreadMayLockAgainAndUnlocksAsOften() throws Exception {
        var mutex = signalbox.mutex(name);
        var lock = mutex.asLock();
        assertSame(lock, mutex.asLock());
        lock.lock();
        lock.lockInterruptibly();
        assertTrue(lock.tryLock());
        assertTrue(lock.tryLock(1, TimeUnit.SECONDS));
        for (int left = 4; left > 0; left--) {
            assertTrue(mutex.isLocked());
            lock.unlock();
        }
        assertFalse(mutex.isLocked());
        assertThrows(IllegalMonitorStateException.class, lock::unlock);
        assertThrows(UnsupportedOperationException.class, lock::newCondition);
    }

    @Test
    void threadsAndClientsExcludeEachOther() throws Exception {
        var lock = signalbox.mutex(name).asLock();
        lock.lock();
        assertFalse(CompletableFuture.supplyAsync(lock::tryLock).get());
        try (var other = Signalbox.connect(RedisServer.shared().getUri())) {
            assertFalse(other.mutex(name).asLock().tryLock(20, TimeUnit.MILLISECONDS));
            lock.unlock();
            assertTrue(other.mutex(name).asLock().tryLock(1, TimeUnit.MINUTES));
            other.mutex(name).asLock().unlock();
        }
    }

    @Test
    void anInterruptEndsTheWaitThatMayBeInterruptedAndNoOther() throws Exception {
        var lock = signalbox.mutex(name).asLock();
        lock.lock();
        var interrupted = new CompletableFuture<Boolean>();
        var first = new Thread(() -> {
            try {
                lock.lockInterruptibly();
                interrupted.complete(false);
            } catch (InterruptedException interrupt) {
                interrupted.complete(true);
            }
        });
        first.start();
        first.interrupt();
        assertTrue(interrupted.get());
        var begun = new CountDownLatch(1);
        var status = new AtomicBoolean();
        var second = new Thread(() -> {
            begun.countDown();
            lock.lock();
            status.set(Thread.currentThread().isInterrupted());
            lock.unlock();
        });
        second.start();
        begun.await();
        second.interrupt();
        lock.unlock();
        second.join();
        assertTrue(status.get());
        assertFalse(signalbox.mutex(name).isLocked());
    }

    @Test
    void aLossIsToldByUnlocking() throws Exception {
        var mutex = signalbox.mutex(
                name, MutexOptions.builder().maxHold(Duration.ofMillis(30)).build());
        var lock = mutex.asLock();
        lock.lock();
        try (var next = mutex.async().blocking().async().lock().get()) {
            assertEquals(name, next.name());
            assertThrows(IllegalMonitorStateException.class, lock::lock);
            assertThrows(IllegalMonitorStateException.class, lock::unlock);
        }
    }

    @Test
    void otherViewsOfItAreNotReentered() throws Exception {
        var mutex = signalbox.mutex(name);
        var lock = mutex.asLock();
        lock.lock();
        assertThrows(IllegalStateException.class, () -> mutex.withLock(() -> "inner"));
        assertTrue(mutex.tryLock(Duration.ofMinutes(1)).isEmpty());
        lock.unlock();
        assertEquals("outer", mutex.withLock(() -> {
            assertThrows(IllegalStateException.class, lock::lock);
            return "outer";
        }));
    }
}
