package io.signalbox.examples.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.java.Signalbox;
import io.signalbox.testkit.ChildJvm;
import io.signalbox.testkit.RedisServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The programs in Java, each in two processes. */
@Timeout(60)
class JavaExamplesTest {
    @Test
    void thePlainProgramLimitsItsCopies() {
        try (var redis = RedisServer.start();
                var one = ChildJvm.start(Batch.class.getName(), List.of(redis.getUri(), "one", "20"));
                var two = ChildJvm.start(Batch.class.getName(), List.of(redis.getUri(), "two", "20"));
                var three = ChildJvm.start(Batch.class.getName(), List.of(redis.getUri(), "three", "20"))) {
            var tokens = new HashSet<String>();
            for (var process : List.of(one, two, three)) {
                assertEquals(0, process.waitFor(), process::output);
                process.output()
                        .lines()
                        .filter(line -> line.startsWith("begin "))
                        .forEach(line -> tokens.add(line.split(" ")[1]));
                process.output().lines().filter(line -> line.startsWith("end ")).forEach(line -> {
                    assertTrue(Integer.parseInt(line.split(" ")[3]) <= 2, line);
                });
            }
            assertEquals(60, tokens.size());
        }
    }

    @Test
    void theServiceLimitsRequestsOverItsProcesses() {
        try (var redis = RedisServer.start();
                var one = ChildJvm.start(LimitedService.class.getName(), List.of(redis.getUri(), "0"));
                var two = ChildJvm.start(LimitedService.class.getName(), List.of(redis.getUri(), "0"))) {
            var http = HttpClient.newHttpClient();
            var ports = List.of(port(one), port(two));
            var answers = new ArrayList<CompletableFuture<HttpResponse<String>>>();
            for (int i = 0; i < 40; i++) {
                var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + ports.get(i % 2) + "/work"))
                        .build();
                answers.add(http.sendAsync(request, BodyHandlers.ofString()));
            }
            var tokens = new HashSet<String>();
            int most = 0;
            for (var answer : answers) {
                var response = answer.join();
                if (response.statusCode() == 503) continue; // a slow machine may need more than two seconds
                assertEquals(200, response.statusCode());
                var words = response.body().split(" ");
                assertTrue(tokens.add(words[0]), "a token of its own: " + response.body());
                most = Math.max(most, Integer.parseInt(words[1]));
            }
            assertEquals(3, most);
            assertTrue(tokens.size() > 3, tokens::toString);
            for (var process : List.of(one, two)) {
                process.send("stop");
                assertEquals(0, process.waitFor(), process::output);
            }
        }
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
