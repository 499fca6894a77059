package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.signalbox.testkit.RedisServer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** As many threads as there may be wait in one process, on a JDK that has them virtual ones. */
class VirtualThreadsTest {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TestFactory
    DynamicTest threadsThatWait() {
        var virtual = virtualThreads();
        if (virtual == null) {
            return DynamicTest.dynamicTest(
                    "1 000 platform threads wait, this JDK has no virtual ones",
                    () -> crowd(task -> new Thread(null, task, "waiting", 128 * 1024), 1_000));
        }
        // A pinned carrier could serve no other, and there are far fewer carriers.
        return DynamicTest.dynamicTest(
                "100 000 virtual threads wait without pinning their carriers", () -> crowd(virtual, 100_000));
    }

    private static void crowd(ThreadFactory threads, int size) throws Exception {
        System.out.println("VirtualThreadsTest: " + size + " threads");
        var options = SignalboxOptions.builder()
                .namespace("crowd-" + System.nanoTime())
                .build();
        try (var signalbox = Signalbox.connect(RedisServer.shared().getUri(), options)) {
            var semaphore = signalbox.semaphore("api", 1000);
            var holder = semaphore.acquire(1000);
            var served = new AtomicInteger();
            var ended = new CountDownLatch(size);
            for (int i = 0; i < size; i++) {
                threads.newThread(() -> {
                            try (var permit = semaphore.acquire()) {
                                served.addAndGet(permit.permits());
                            } catch (InterruptedException interrupt) {
                                throw new AssertionError(interrupt);
                            } finally {
                                ended.countDown();
                            }
                        })
                        .start();
            }
            Waiting.until("all wait", PATIENCE, () -> semaphore.snapshot(1).queueLength() == size);
            holder.close();
            ended.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertEquals(size, served.get());
            assertEquals(1000, semaphore.availablePermits());
        }
    }

    /** Found by name, because this is compiled for a JDK without them; {@code null} where there are none. */
    private static ThreadFactory virtualThreads() {
        try {
            var builder = Thread.class.getMethod("ofVirtual").invoke(null);
            return (ThreadFactory) Class.forName("java.lang.Thread$Builder")
                    .getMethod("factory")
                    .invoke(builder);
        } catch (ReflectiveOperationException absent) {
            return null;
        }
    }
}
