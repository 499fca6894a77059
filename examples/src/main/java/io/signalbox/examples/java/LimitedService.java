package io.signalbox.examples.java;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.signalbox.java.Semaphore;
import io.signalbox.java.Signalbox;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executors;

/**
 * An HTTP service whose requests are handled at most three at a time, over all of its processes. Who cannot be served within its patience is
 * told to come back.
 *
 * <p>Arguments: the URI of the server, the port to listen on, 0 for any, and how long a request waits at most, as in PT2S.
 */
final class LimitedService {
    private final Semaphore semaphore;
    private final Duration patience;

    private LimitedService(Semaphore semaphore, Duration patience) {
        this.semaphore = semaphore;
        this.patience = patience;
    }

    public static void main(String[] args) throws Exception {
        try (var signalbox = Signalbox.connect(args[0])) {
            var server = start(signalbox, Integer.parseInt(args[1]), Duration.parse(args[2]));
            System.out.println("listening on " + server.getAddress().getPort());
            System.in.read(); // until somebody closes it, or says something
            server.stop(0);
        }
        System.exit(0);
    }

    static HttpServer start(Signalbox signalbox, int port, Duration patience) throws IOException, InterruptedException {
        var service = new LimitedService(signalbox.semaphore("service", 3), patience);
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.createContext("/work", service::handle);
        server.setExecutor(Executors.newCachedThreadPool());
        server.start();
        return server;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            var granted = semaphore.tryAcquire(patience);
            if (granted.isEmpty()) {
                answer(exchange, 503, "busy");
                return;
            }
            try (var permit = granted.get()) {
                var begun = Instant.now();
                Thread.sleep(20); // what takes its time
                answer(exchange, 200, "token " + permit.fencingToken() + " from " + begun + " to " + Instant.now());
            }
        } catch (InterruptedException interrupt) {
            Thread.currentThread().interrupt();
        }
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        var body = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }
}
