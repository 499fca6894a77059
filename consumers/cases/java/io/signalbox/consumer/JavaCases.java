package io.signalbox.consumer;

import io.signalbox.AcquireTimeoutException;
import io.signalbox.LeaseLostException;
import io.signalbox.SignalboxClosedException;
import io.signalbox.java.Semaphore;
import io.signalbox.java.SemaphoreOptions;
import io.signalbox.java.Signalbox;
import io.signalbox.java.SignalboxOptions;
import io.signalbox.java.timers.TimerCodec;
import io.signalbox.java.timers.TimerRouter;
import io.signalbox.java.timers.Timers;
import io.signalbox.java.timers.TimersOptions;
import io.signalbox.java.timers.Topic;
import io.signalbox.testkit.RedisServer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** What a Java service does with the library, on whatever versions its own build has put together. */
public final class JavaCases {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    /** The first connection of a cold JVM on a busy machine takes its time. */
    private static final SignalboxOptions PATIENT =
            SignalboxOptions.builder().storeTimeout(PATIENCE).build();

    private interface Case {
        void run(Signalbox signalbox, String name) throws Exception;
    }

    private JavaCases() {}

    public static void main(String[] arguments) throws Exception {
        System.out.println(run() + " cases passed");
    }

    /** Runs all cases, each on a client of its own; returns how many. */
    public static int run() throws Exception {
        var cases = new LinkedHashMap<String, Case>();
        cases.put("happy path", JavaCases::happyPath);
        cases.put("max hold", JavaCases::maxHold);
        cases.put("cancellation", JavaCases::cancellation);
        cases.put("timeouts", JavaCases::timeouts);
        cases.put("interrupts", JavaCases::interrupts);
        cases.put("timers", JavaCases::timers);
        cases.put("close", JavaCases::close);
        for (Map.Entry<String, Case> entry : cases.entrySet()) {
            try (var signalbox = Signalbox.connect(RedisServer.shared().getUri(), PATIENT)) {
                entry.getValue().run(signalbox, "java-" + entry.getKey().replace(' ', '-'));
            } catch (Throwable problem) {
                throw new AssertionError("Java: " + entry.getKey(), problem);
            }
        }
        try {
            serverLost();
        } catch (Throwable problem) {
            throw new AssertionError("Java: server lost", problem);
        }
        return cases.size() + 1;
    }

    private static void happyPath(Signalbox signalbox, String name) throws Exception {
        var semaphore = signalbox.semaphore(name, 2);
        long first;
        try (var permit = semaphore.acquire()) {
            first = permit.fencingToken();
            expect(semaphore.availablePermits() == 1, "one of two permits is held");
        }
        long second = semaphore.withPermit(permit -> permit.fencingToken());
        expect(second > first, "fencing tokens grow");
        expect(of(semaphore.async().withPermit(permit -> CompletableFuture.completedFuture(7))) == 7, "a future's result");
        expect(signalbox.mutex(name).withLock(() -> "locked").equals("locked"), "a mutex");
        var event = signalbox.event(name);
        event.set();
        event.await(PATIENCE);
        free(semaphore, 2);
    }

    private static void maxHold(Signalbox signalbox, String name) throws Exception {
        var options = SemaphoreOptions.builder().maxHold(Duration.ofMillis(200)).build();
        var semaphore = signalbox.semaphore(name, 1, options);
        var told = new CountDownLatch(1);
        try {
            semaphore.withPermit(permit -> {
                permit.onLost(told::countDown);
                Thread.sleep(PATIENCE.toMillis()); // interrupted
                return null;
            });
            throw new AssertionError("a permit outlived its max hold");
        } catch (LeaseLostException expected) {
            expect(told.await(PATIENCE.toSeconds(), TimeUnit.SECONDS), "onLost was called");
        }
        free(semaphore, 1);
    }

    private static void cancellation(Signalbox signalbox, String name) throws Exception {
        var semaphore = signalbox.semaphore(name, 1);
        var held = semaphore.acquire();
        var waiting = semaphore.async().acquire();
        until(() -> semaphore.snapshot(1).queueLength() == 1);
        waiting.cancel(true);
        until(() -> semaphore.snapshot(1).queueLength() == 0);
        held.close();
        free(semaphore, 1);
    }

    private static void timeouts(Signalbox signalbox, String name) throws Exception {
        var semaphore = signalbox.semaphore(name, 1);
        try (var held = semaphore.acquire()) {
            try {
                semaphore.acquire(Duration.ofMillis(20));
                throw new AssertionError("granted twice: " + held);
            } catch (AcquireTimeoutException expected) {
                // as it should be
            }
        }
        try {
            of(semaphore.async().withPermit(permit -> new CompletableFuture<Void>()).orTimeout(50, TimeUnit.MILLISECONDS));
            throw new AssertionError("a future that nobody completes was completed");
        } catch (ExecutionException expected) {
            expect(expected.getCause() instanceof TimeoutException, "a timeout, not " + expected.getCause());
        }
        free(semaphore, 1);
    }

    private static void interrupts(Signalbox signalbox, String name) throws Exception {
        var semaphore = signalbox.semaphore(name, 1);
        var held = semaphore.acquire();
        var waiting = new FutureTask<Boolean>(() -> {
            try {
                semaphore.acquire();
                return false;
            } catch (InterruptedException expected) {
                return true;
            }
        });
        var thread = new Thread(waiting);
        thread.start();
        until(() -> semaphore.snapshot(1).queueLength() == 1);
        thread.interrupt();
        expect(waiting.get(PATIENCE.toSeconds(), TimeUnit.SECONDS), "interrupted");
        until(() -> semaphore.snapshot(1).queueLength() == 0);
        held.close();
        free(semaphore, 1);
    }

    private static void timers(Signalbox signalbox, String name) throws Exception {
        var notes = Topic.of(name, TimerCodec.text());
        var handled = new CountDownLatch(2);
        var router = TimerRouter.builder()
                .blockingHandler(notes, (note, timer) -> handled.countDown())
                .build();
        var timers = Timers.create(signalbox, TimersOptions.builder().router(router).build());
        try (var worker = timers.start()) {
            timers.schedule(notes, "1", "one", Duration.ofMillis(1));
            of(timers.async().schedule(notes, "2", "two", Duration.ofMillis(20)));
            timers.schedule(notes, "3", "three", Duration.ofHours(1));
            expect(handled.await(PATIENCE.toSeconds(), TimeUnit.SECONDS), "two timers were handled by " + worker);
            expect(timers.cancel(notes, "3"), "the third was cancelled");
        }
    }

    private static void close(Signalbox signalbox, String name) throws Exception {
        var held = signalbox.semaphore(name, 1).acquire();
        var waiting = signalbox.semaphore(name, 1).async().acquire();
        signalbox.close();
        try {
            of(waiting);
            throw new AssertionError("granted by a closed client, beside " + held);
        } catch (ExecutionException expected) {
            expect(expected.getCause() instanceof SignalboxClosedException, "closed, not " + expected.getCause());
        }
        try (var other = Signalbox.connect(RedisServer.shared().getUri())) {
            free(other.semaphore(name, 1), 1);
        }
    }

    /** A server that no longer answers: whoever holds a permit is told before it can be anybody else's. */
    private static void serverLost() throws Exception {
        var options = SignalboxOptions.builder().lease(Duration.ofSeconds(1)).storeTimeout(PATIENCE).build();
        try (var server = RedisServer.start();
                var signalbox = Signalbox.connect(server.getUri(), options)) {
            var told = new CountDownLatch(1);
            signalbox.semaphore("lost", 1).acquire().onLost(told::countDown);
            server.freeze();
            expect(told.await(PATIENCE.toSeconds(), TimeUnit.SECONDS), "onLost was called");
            server.thaw();
        }
    }

    private static <T> T of(CompletableFuture<T> future) throws Exception {
        return future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private static void free(Semaphore semaphore, int permits) throws Exception {
        until(() -> semaphore.availablePermits() == permits);
    }

    private static void until(Callable<Boolean> reached) throws Exception {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!reached.call()) {
            if (System.nanoTime() > deadline) throw new CompletionException(new TimeoutException("not reached"));
            Thread.sleep(5);
        }
    }

    private static void expect(boolean holds, String what) {
        if (!holds) throw new AssertionError("expected: " + what);
    }
}
