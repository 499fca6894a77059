package io.signalbox.examples.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.java.Semaphore;
import io.signalbox.java.Signalbox;
import io.signalbox.testkit.ChildJvm;
import io.signalbox.testkit.RedisServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The programs in Java, in several processes. The test holds all permits until everybody waits, so that they compete from then on, and judges by
 * the times that they report and not by what the library says.
 */
@Timeout(120)
class JavaExamplesTest {
    /** Something done under a permit, as in "token 17 from 2026-01-01T10:00:00.000001Z to 2026-01-01T10:00:00.005Z". */
    private record Job(long token, Instant from, Instant to) {
        private static final Pattern TEXT = Pattern.compile("token (\\d+) from (\\S+) to (\\S+)");

        static List<Job> in(String output) {
            return TEXT.matcher(output)
                    .results()
                    .map(found -> new Job(
                            Long.parseLong(found.group(1)),
                            Instant.parse(found.group(2)),
                            Instant.parse(found.group(3))))
                    .toList();
        }

        /** How many jobs were done at the moment when this one began, itself included. */
        long company(List<Job> all) {
            return all.stream()
                    .filter(job -> !job.from.isAfter(from) && job.to.isAfter(from))
                    .count();
        }
    }

    private static void assertLimited(int limit, List<Job> jobs) {
        jobs.forEach(job -> assertTrue(job.company(jobs) <= limit, () -> job + " was one too many of " + jobs));
        assertEquals(jobs.size(), jobs.stream().map(Job::token).distinct().count(), "tokens");
    }

    private static void awaitQueue(Semaphore semaphore, int length) throws InterruptedException {
        var patience = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (semaphore.snapshot().queueLength() != length) {
            assertTrue(System.nanoTime() < patience, () -> "not " + length + " in the queue");
            Thread.sleep(5);
        }
    }

    @Test
    void thePlainProgramLimitsItsCopies() throws Exception {
        try (var redis = RedisServer.start();
                var signalbox = Signalbox.connect(redis.getUri());
                var one = ChildJvm.start(Batch.class.getName(), List.of(redis.getUri(), "one", "20"));
                var two = ChildJvm.start(Batch.class.getName(), List.of(redis.getUri(), "two", "20"));
                var three = ChildJvm.start(Batch.class.getName(), List.of(redis.getUri(), "three", "20"))) {
            var semaphore = signalbox.semaphore("batch", 2);
            try (var all = semaphore.acquire(2)) {
                awaitQueue(semaphore, 3);
                assertFalse(all.isLost());
            }
            var jobs = new ArrayList<Job>();
            for (var process : List.of(one, two, three)) {
                assertEquals(0, process.waitFor(), process::output);
                var own = Job.in(process.output());
                assertEquals(20, own.size(), process::output);
                jobs.addAll(own);
            }
            assertLimited(2, jobs);
        }
    }

    @Test
    void theServiceLimitsRequestsOverItsProcesses() throws Exception {
        try (var redis = RedisServer.start();
                var signalbox = Signalbox.connect(redis.getUri());
                var one = ChildJvm.start(LimitedService.class.getName(), List.of(redis.getUri(), "0", "PT1M"));
                var two = ChildJvm.start(LimitedService.class.getName(), List.of(redis.getUri(), "0", "PT1M"))) {
            var semaphore = signalbox.semaphore("service", 3);
            var ports = List.of(port(one), port(two));
            var answers = new ArrayList<CompletableFuture<HttpResponse<String>>>();
            try (var all = semaphore.acquire(3)) {
                for (int i = 0; i < 40; i++) answers.add(ask(ports.get(i % 2)));
                awaitQueue(semaphore, 40);
                assertFalse(all.isLost());
            }
            var jobs = new ArrayList<Job>();
            for (var answer : answers) {
                assertEquals(200, answer.join().statusCode());
                jobs.addAll(Job.in(answer.join().body()));
            }
            assertEquals(40, jobs.size());
            assertLimited(3, jobs);
            for (var process : List.of(one, two)) {
                process.send("stop");
                assertEquals(0, process.waitFor(), process::output);
            }
        }
    }

    @Test
    void theServiceTurnsAwayWhoWouldWaitForTooLong() throws Exception {
        try (var signalbox = Signalbox.inMemory()) {
            var server = LimitedService.start(signalbox, 0, Duration.ofMillis(10));
            var port = "" + server.getAddress().getPort();
            try (var all = signalbox.semaphore("service", 3).acquire(3)) {
                assertEquals(503, ask(port).join().statusCode());
                assertFalse(all.isLost());
            } finally {
                server.stop(0);
            }
        }
    }

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private static CompletableFuture<HttpResponse<String>> ask(String port) {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/work"))
                .build();
        return HTTP.sendAsync(request, BodyHandlers.ofString());
    }

    private static String port(ChildJvm process) {
        var words = process.awaitLine("listening on ").split(" ");
        return words[words.length - 1];
    }

    @Test
    void whatTheDocumentationShowsWorks() throws Exception {
        assertTrue(Usage.testing());
        try (var signalbox = Signalbox.inMemory()) {
            Usage.observing(signalbox);
            Usage.timers(signalbox, System.out::println);
            assertTrue(Usage.blocking(signalbox).startsWith("report "));
            var semaphore = signalbox.semaphore("api", 1);
            Usage.cancelling(semaphore);
        }
    }
}
