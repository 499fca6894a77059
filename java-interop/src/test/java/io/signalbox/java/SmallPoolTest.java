package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.signalbox.AcquireTimeoutException;
import io.signalbox.java.timers.TimerCodec;
import io.signalbox.java.timers.TimerRouter;
import io.signalbox.java.timers.Timers;
import io.signalbox.java.timers.TimersOptions;
import io.signalbox.java.timers.Topic;
import io.signalbox.testkit.ChildJvm;
import io.signalbox.testkit.RedisServer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Machines with one processor, and common pools with one thread or none, in which a task may never run. */
class SmallPoolTest {
    static Stream<List<String>> machines() {
        var parallelism = "-Djava.util.concurrent.ForkJoinPool.common.parallelism=";
        return Stream.of(
                List.of("-XX:ActiveProcessorCount=1"),
                List.of("-XX:ActiveProcessorCount=1", parallelism + 0),
                List.of(parallelism + 0),
                List.of(parallelism + 1));
    }

    @ParameterizedTest
    @MethodSource("machines")
    void everythingCompletes(List<String> machine) {
        var options = Stream.concat(Stream.of("-Xmx128m"), machine.stream()).toList();
        try (var child = ChildJvm.start(
                Program.class.getName(), List.of(RedisServer.shared().getUri()), options, Map.of())) {
            assertEquals("done", child.awaitLine("done"), child::output);
            assertEquals(0, child.waitFor());
        }
    }

    /** Every kind of callback once, each waited for. */
    static final class Program {
        private static final long PATIENCE = 20;

        public static void main(String[] arguments) throws Exception {
            var options = SignalboxOptions.builder()
                    .namespace("pool-" + ProcessHandle.current().pid())
                    .build();
            try (var signalbox = Signalbox.connect(arguments[0], options)) {
                permits(signalbox.async());
                timers(signalbox);
            }
            System.out.println("done");
        }

        private static void permits(AsyncSignalbox signalbox) throws Exception {
            var limited =
                    SemaphoreOptions.builder().maxHold(Duration.ofMillis(200)).build();
            var semaphore = of(signalbox.semaphore("api", 1, limited));
            var lost = new CountDownLatch(1);
            of(semaphore.acquire()).onLost(lost::countDown);
            await(lost);

            var held = of(semaphore.acquire());
            try {
                of(semaphore.acquire(Duration.ofMillis(20)));
                throw new AssertionError("one permit, granted twice");
            } catch (ExecutionException expected) {
                if (!(expected.getCause() instanceof AcquireTimeoutException)) throw expected;
            }
            var withdrawn = semaphore.acquire();
            withdrawn.cancel(true);
            of(held.release());
            try {
                of(semaphore.withPermit(permit -> new CompletableFuture<Void>()).orTimeout(20, TimeUnit.MILLISECONDS));
                throw new AssertionError("a future that nobody completes was completed");
            } catch (ExecutionException expected) {
                if (!(expected.getCause() instanceof TimeoutException)) throw expected;
            }
            of(of(semaphore.acquire()).release());
        }

        private static void timers(Signalbox signalbox) throws Exception {
            var notes = Topic.of("notes", TimerCodec.text());
            var handled = new CountDownLatch(2);
            var router = TimerRouter.builder()
                    .handler(notes, (note, timer) -> CompletableFuture.runAsync(handled::countDown))
                    .build();
            var timers = Timers.create(
                    signalbox, TimersOptions.builder().router(router).build());
            var worker = timers.start();
            of(timers.async().schedule(notes, "1", "one", Duration.ofMillis(1)));
            timers.schedule(notes, "2", "two", Duration.ofMillis(1));
            await(handled);
            worker.close();
        }

        private static <T> T of(CompletableFuture<T> future) throws Exception {
            return future.get(PATIENCE, TimeUnit.SECONDS);
        }

        private static void await(CountDownLatch latch) throws InterruptedException {
            if (!latch.await(PATIENCE, TimeUnit.SECONDS)) throw new AssertionError("not called");
        }
    }
}
