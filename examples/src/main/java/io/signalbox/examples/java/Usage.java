package io.signalbox.examples.java;

import io.signalbox.java.AsyncSignalbox;
import io.signalbox.java.InMemoryStore;
import io.signalbox.java.Observation;
import io.signalbox.java.Semaphore;
import io.signalbox.java.SemaphoreOptions;
import io.signalbox.java.Signalbox;
import io.signalbox.java.SignalboxListener;
import io.signalbox.java.SignalboxOptions;
import io.signalbox.java.quorum.QuorumOptions;
import io.signalbox.java.quorum.SignalboxQuorum;
import io.signalbox.java.timers.JacksonCodec;
import io.signalbox.java.timers.TimerRouter;
import io.signalbox.java.timers.Timers;
import io.signalbox.java.timers.TimersOptions;
import io.signalbox.java.timers.Topic;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/** What the documentation for Java shows. */
final class Usage {
    private Usage() {}

    static Signalbox options(String uri, Executor pool) {
        // region options
        var options = SignalboxOptions.builder()
                .namespace("billing") // clients with different namespaces share nothing
                .lease(Duration.ofSeconds(20)) // how fast a crash heals, against how long an outage is survived
                .callbackExecutor(pool) // where futures are completed
                .build();
        var signalbox = Signalbox.connect(uri, options);
        // endregion
        return signalbox;
    }

    static void quorum(List<String> uris, Consumer<Long> report) throws InterruptedException {
        String a = uris.get(0);
        String b = uris.get(1);
        String c = uris.get(2);
        // region quorum
        var options = QuorumOptions.builder().lease(Duration.ofSeconds(3)).build();
        try (var quorum = SignalboxQuorum.connect(List.of(a, b, c), options)) {
            quorum.mutex("nightly-report").withLock(permit -> {
                report.accept(permit.fencingToken());
                return "written";
            });
        }
        // endregion
    }

    static String blocking(Signalbox signalbox) throws Exception {
        // region blocking
        var exports = signalbox.semaphore(
                "exports",
                4,
                SemaphoreOptions.builder().maxHold(Duration.ofMinutes(10)).build());

        var report = exports.withPermit(permit -> export(permit.fencingToken())); // interrupted if the permit is lost

        try (var permit = exports.acquire()) { // nothing interrupts this block; ask permit.isLost()
            export(permit.fencingToken());
        }

        var now = exports.tryAcquire(); // now or not at all
        now.ifPresent(permit -> permit.close());

        var soon = exports.tryAcquire(Duration.ofSeconds(2)); // empty when not in time
        soon.ifPresent(permit -> permit.close());

        signalbox.mutex("report").withLock(() -> export(0));
        // endregion
        return report;
    }

    static void futures(AsyncSignalbox signalbox, HttpClient http, HttpRequest request) {
        // region futures
        signalbox
                .semaphore("external-api", 100)
                .thenCompose(api -> api.withPermit(() -> http.sendAsync(request, BodyHandlers.ofString())))
                .thenAccept(response -> System.out.println(response.statusCode()));
        // endregion
    }

    static void cancelling(Semaphore semaphore) {
        // region cancelling
        var acquire = semaphore.async().acquire();
        var used = acquire.thenCompose(permit -> permit.release());

        acquire.cancel(true); // leaves the queue; a permit granted at that very moment is given back
        used.cancel(true); // does not: Java passes no cancellation from a stage to its source
        // endregion
    }

    static void observing(Signalbox signalbox) {
        // region observing
        signalbox.addListener(new SignalboxListener() {
            @Override
            public void onLost(Observation.Lost lost) {
                System.out.println("Lost " + lost.name() + " after " + lost.held());
            }
        });
        // endregion
    }

    record Reminder(String message) {}

    static void timers(Signalbox signalbox, Consumer<String> mail) throws InterruptedException {
        // region timers
        var reminders = Topic.of("reminders", JacksonCodec.of(Reminder.class));
        var router = TimerRouter.builder()
                .blockingHandler(reminders, (reminder, timer) -> mail.accept(reminder.message()))
                .build();
        var timers =
                Timers.create(signalbox, TimersOptions.builder().router(router).build());

        timers.schedule(reminders, "42", new Reminder("call back"), Duration.ofMinutes(5)); // same id again: replaced
        timers.cancel(reminders, "42");

        try (var worker = timers.start()) { // handles timers until it is closed
            System.out.println("Handling, ended: " + worker.ended().isDone());
        }
        // endregion
    }

    static boolean testing() throws InterruptedException {
        // region testing
        var store = InMemoryStore.create();
        try (var here = Signalbox.inMemory(store);
                var there = Signalbox.inMemory(store)) { // as in another process
            var held = here.semaphore("reports", 1).acquire();
            var refused = there.semaphore("reports", 1).tryAcquire().isEmpty();
            held.close();
            return refused;
        }
        // endregion
    }

    private static String export(long token) {
        return "report " + token;
    }
}
