package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.LeaseLostException;
import io.signalbox.testkit.RedisServer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is peculiar to futures. What semaphores do is shown by the behaviour suite. */
@Timeout(30)
class AsyncViewTest {
    private static final SemaphoreOptions LIMITED =
            SemaphoreOptions.builder().maxHold(Duration.ofMinutes(10)).build();

    private final AsyncSignalbox signalbox = Signalbox.inMemory().async();

    @AfterEach
    void close() {
        signalbox.close();
    }

    private static <T extends Throwable> T failure(Class<T> type, CompletableFuture<?> future) {
        return assertInstanceOf(
                type, assertThrows(ExecutionException.class, future::get).getCause());
    }

    @Test
    void withPermitHoldsThePermitUntilTheStageHasEnded() throws Exception {
        var semaphore = signalbox.semaphore("api", 1).get();
        var work = new CompletableFuture<String>();
        var started = new CountDownLatch(1);
        var result = semaphore.withPermit(() -> {
            started.countDown();
            return work;
        });
        started.await();
        assertEquals(0, semaphore.availablePermits().get());
        assertFalse(result.isDone());
        work.complete("result");
        assertEquals("result", result.get());
        assertEquals(1, semaphore.availablePermits().get());
    }

    @Test
    void withPermitGivesBackOnEveryPath() throws Exception {
        var semaphore = signalbox.semaphore("api", 2).get();
        var thrown = new IllegalArgumentException("broken");
        assertEquals(
                "broken",
                failure(IllegalArgumentException.class, semaphore.withPermit(() -> {
                            throw thrown;
                        }))
                        .getMessage());
        assertEquals(
                "broken",
                failure(
                                IllegalArgumentException.class,
                                semaphore.withPermit(() -> CompletableFuture.failedFuture(thrown)))
                        .getMessage());
        assertEquals(
                "broken",
                failure(
                                IllegalArgumentException.class,
                                semaphore.withPermit(() -> CompletableFuture.completedFuture(1)
                                        .<Integer>thenApply(one -> {
                                            throw thrown;
                                        })))
                        .getMessage());
        var cancelled = new CompletableFuture<String>();
        cancelled.cancel(true);
        assertThrows(
                CancellationException.class,
                () -> semaphore.withPermit(() -> cancelled).get());
        assertEquals(
                "The work returned null instead of a stage.",
                failure(NullPointerException.class, semaphore.withPermit(() -> null))
                        .getMessage());
        assertEquals(
                2,
                semaphore
                        .withPermit(2, permit -> CompletableFuture.completedFuture(permit.permits()))
                        .get());
        assertEquals(2, semaphore.availablePermits().get());
    }

    @Test
    void cancellingWithPermitCancelsTheWorkAndHoldsThePermitUntilThatHasEnded() throws Exception {
        var semaphore = signalbox.semaphore("api", 1).get();
        var work = new CompletableFuture<String>();
        var started = new CountDownLatch(1);
        var result = semaphore.withPermit(() -> {
            started.countDown();
            return work;
        });
        started.await();
        result.cancel(true);
        semaphore.acquire(Waiting.PATIENCE).get().close();
        assertTrue(work.isCancelled());

        // A stage that cannot be cancelled from outside goes on, under its permit.
        var stubborn = new CompletableFuture<String>();
        var startedAgain = new CountDownLatch(1);
        var resultAgain = semaphore.withPermit(() -> {
            startedAgain.countDown();
            return stubborn.minimalCompletionStage();
        });
        startedAgain.await();
        resultAgain.cancel(true);
        var next = semaphore.acquire();
        Waiting.untilQueued(1, semaphore.blocking());
        assertFalse(next.isDone());
        stubborn.complete("end");
        next.get().close();
    }

    @Test
    void losingThePermitCancelsTheWork() throws Exception {
        var semaphore = signalbox.semaphore("api", 1, LIMITED).get();
        var work = new CompletableFuture<String>();
        var result = semaphore.withPermit(permit -> {
            permit.extend(Duration.ofMillis(1));
            return work;
        });
        assertEquals("api", failure(LeaseLostException.class, result).getSemaphore());
        assertTrue(work.isCancelled());
        // Whether or not the work can be stopped, the caller hears of it.
        var endless = semaphore.withPermit(permit -> {
            permit.extend(Duration.ofMillis(1));
            return new CompletableFuture<String>().minimalCompletionStage();
        });
        failure(LeaseLostException.class, endless);
    }

    @Test
    void cancellingAnAcquireLeavesTheQueueAndSoDoesATimeoutOfTheFuture() throws Exception {
        var semaphore = signalbox.semaphore("api", 1).get();
        var holder = semaphore.acquire().get();
        var cancelled = semaphore.acquire();
        var timedOut = semaphore.acquire().orTimeout(5, TimeUnit.MILLISECONDS);
        var completed = semaphore
                .tryAcquire(Duration.ofMinutes(1))
                .completeOnTimeout(java.util.Optional.empty(), 5, TimeUnit.MILLISECONDS);
        failure(TimeoutException.class, timedOut);
        assertTrue(completed.get().isEmpty());
        Waiting.untilQueued(1, semaphore.blocking());
        cancelled.cancel(true);
        Waiting.untilQueued(0, semaphore.blocking());
        holder.release().get();
        assertEquals(1, semaphore.availablePermits().get());
    }

    @Test
    void aDependentStageDoesNotPassItsCancellationOn() throws Exception {
        var semaphore = signalbox.semaphore("api", 1).get();
        var holder = semaphore.acquire().get();
        var acquire = semaphore.acquire();
        acquire.thenApply(AsyncPermit::fencingToken).cancel(true);
        Waiting.untilQueued(1, semaphore.blocking());
        holder.close();
        acquire.get().close();
    }

    @Test
    void errorsArriveInTheFuture() throws Exception {
        var semaphore = signalbox.semaphore("api", 1).get();
        failure(IllegalArgumentException.class, semaphore.acquire(2));
        failure(IllegalArgumentException.class, semaphore.acquire(0));
        failure(IllegalArgumentException.class, semaphore.acquire(Duration.ofMillis(-1)));
        failure(IllegalArgumentException.class, signalbox.semaphore(" ", 1));
        failure(io.signalbox.PermitsMismatchException.class, signalbox.semaphore("api", 2));
        failure(io.signalbox.SemaphoreNotFoundException.class, signalbox.attach("unknown", Duration.ZERO));
        failure(IllegalStateException.class, semaphore.addPermits(1));
        var permit = semaphore.acquire().get();
        permit.release().get();
        failure(IllegalStateException.class, permit.release());
        signalbox.closeAsync().get();
        failure(io.signalbox.SignalboxClosedException.class, semaphore.acquire());
    }

    @Test
    void futuresAreCompletedOnTheExecutorAndActionsAreCalledThere() throws Exception {
        var threads = Executors.newSingleThreadExecutor(task -> new Thread(task, "mine"));
        var options = SignalboxOptions.builder()
                .namespace("executor-" + System.nanoTime())
                .callbackExecutor(threads)
                .build();
        try (var client = Signalbox.connect(RedisServer.shared().getUri(), options)) {
            var semaphore = client.async().semaphore("api", 1, LIMITED).get();
            var names = new LinkedBlockingQueue<String>();
            Runnable note = () -> names.add(Thread.currentThread().getName());
            // An answer that is there at once completes its future on the calling thread: this one has to wait.
            var holder = semaphore.acquire().get();
            var taken = new CountDownLatch(1);
            threads.execute(() -> awaitUninterruptibly(taken));
            var acquired = semaphore.acquire();
            acquired.thenRun(note);
            // The blocking view does not need the executor, whose only thread is taken.
            holder.blocking().close();
            assertEquals(0, client.semaphore("api", 1, LIMITED).availablePermits());
            taken.countDown();
            var permit = acquired.get();
            permit.onLost(note);
            permit.extend(Duration.ofMillis(1));
            assertTrue(names.take().startsWith("mine"));
            assertTrue(names.take().startsWith("mine"));
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void byDefaultFuturesAreCompletedOnNoThreadThatTheLibraryOrTheDriverNeeds() throws Exception {
        var options = SignalboxOptions.builder()
                .namespace("threads-" + System.nanoTime())
                .build();
        try (var client = Signalbox.connect(RedisServer.shared().getUri(), options)) {
            var semaphore = client.async().semaphore("api", 1).get();
            for (int i = 0; i < 50; i++) {
                var holder = semaphore.acquire().get();
                var name = semaphore.acquire().thenApply(permit -> {
                    permit.close();
                    return Thread.currentThread().getName();
                });
                holder.close();
                var thread = name.get();
                assertTrue(
                        thread.startsWith("ForkJoinPool.commonPool")
                                || thread.startsWith("signalbox-callbacks")
                                || thread.equals(Thread.currentThread().getName()),
                        thread);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anExecutorThatRefusesFailsTheCallAndThePermitIsGivenBack(boolean outOfThreads) throws Exception {
        var refusing = new AtomicBoolean();
        var options = SignalboxOptions.builder()
                .callbackExecutor(task -> {
                    if (refusing.get() && outOfThreads) throw new OutOfMemoryError("unable to create native thread");
                    if (refusing.get()) throw new RejectedExecutionException("shut down");
                    task.run();
                })
                .build();
        try (var client = Signalbox.inMemory(InMemoryStore.create(), options)) {
            var semaphore = client.async().semaphore("api", 1).get();
            var holder = semaphore.acquire().get();
            var waiting = semaphore.acquire();
            refusing.set(true);
            holder.blocking().close();
            var refusal = failure(RejectedExecutionException.class, waiting);
            if (outOfThreads) assertInstanceOf(OutOfMemoryError.class, refusal.getCause());
            var blocking = semaphore.blocking();
            blocking.acquire(Waiting.PATIENCE).close();
        }
    }

    @Test
    void aListenerAndAPublisherHearWhatHappens() throws Exception {
        var heard = new CopyOnWriteArrayList<Observation>();
        var registration = signalbox.addListener(new SignalboxListener() {
            @Override
            public void onGranted(Observation.Granted granted) {
                heard.add(granted);
            }

            @Override
            public void onReleased(Observation.Released released) {
                heard.add(released);
            }
        });
        var published = new LinkedBlockingQueue<Observation>();
        var subscribed = new CompletableFuture<Flow.Subscription>();
        signalbox.observations().subscribe(new Flow.Subscriber<>() {
            @Override
            public void onSubscribe(Flow.Subscription subscription) {
                subscription.request(Long.MAX_VALUE);
                subscribed.complete(subscription);
            }

            @Override
            public void onNext(Observation observation) {
                published.add(observation);
            }

            @Override
            public void onError(Throwable failure) {}

            @Override
            public void onComplete() {}
        });
        var subscription = subscribed.get();
        var semaphore = signalbox.semaphore("api", 3).get();
        // The subscription takes effect a moment after onSubscribe.
        Waiting.until("published", () -> {
            semaphore.acquire().get().release().get();
            return !published.isEmpty();
        });
        published.clear();
        heard.clear();
        var permit = semaphore.acquire(2).get();
        permit.release().get();
        var granted = assertInstanceOf(Observation.Granted.class, heard.get(0));
        assertEquals(
                List.of("api", 2, permit.fencingToken()),
                List.of(granted.name(), granted.permits(), granted.fencingToken()));
        assertInstanceOf(Observation.Released.class, heard.get(1));
        Waiting.until("published", () -> published.contains(granted));
        assertSame(Observation.Kind.SEMAPHORE, granted.kind());
        subscription.cancel();
        registration.close();
        var count = heard.size();
        semaphore.acquire().get().release().get();
        assertEquals(count, heard.size());
    }

    @Test
    void mutexesAndEvents() throws Exception {
        var mutex = signalbox.mutex("report").get();
        assertEquals(
                "result",
                mutex.withLock(() -> mutex.tryLock().thenApply(second -> second.isEmpty() ? "result" : "two"))
                        .get());
        try (var permit = mutex.lock().get()) {
            assertEquals(
                    permit.fencingToken(), mutex.owner().get().orElseThrow().fencingToken());
            assertTrue(mutex.isLocked().get());
            assertTrue(mutex.tryLock(Duration.ofMillis(5)).get().isEmpty());
            failure(io.signalbox.AcquireTimeoutException.class, mutex.lock(Duration.ofMillis(5)));
            assertEquals(1, mutex.snapshot().get().heldPermits());
        }
        var event = signalbox.event("done").get();
        var waiting = event.await();
        event.set().get();
        waiting.get();
        event.set().get();
        event.await(Waiting.PATIENCE).get();
        failure(io.signalbox.EventTimeoutException.class, event.await(Duration.ZERO));
        event.set().get();
        assertTrue(event.tryAwait().get());
        assertFalse(event.isSet().get());
        assertEquals(0, event.clear().get());
        assertEquals(0, signalbox.statistics(List.of("none"), 5).get().size());
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException interrupt) {
            throw new AssertionError(interrupt);
        }
    }
}
