package io.signalbox.examples.java;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.signalbox.java.Semaphore;
import io.signalbox.java.Signalbox;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.Executors;

/**
 * An HTTP service whose requests are handled at most three at a time, over all of its processes. Who cannot be served within two seconds is
 * told to come back.
 *
 * <p>Arguments: the URI of the server, and the port to listen on, 0 for any.
 */
final class LimitedService {
    private final Semaphore semaphore;

    private LimitedService(Semaphore semaphore) {
        this.semaphore = semaphore;
    }

    public static void main(String[] args) throws Exception {
        try (var signalbox = Signalbox.connect(args[0])) {
            var service = new LimitedService(signalbox.semaphore("service", 3));
            var server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[1])), 0);
            server.createContext("/work", service::handle);
            server.setExecutor(Executors.newCachedThreadPool());
            server.start();
            System.out.println("listening on " + server.getAddress().getPort());
            System.in.read(); // until somebody closes it, or says something
            server.stop(0);
        }
        System.exit(0);
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            var granted = semaphore.tryAcquire(Duration.ofSeconds(2));
            if (granted.isEmpty()) {
                answer(exchange, 503, "busy");
                return;
            }
            try (var permit = granted.get()) {
                Thread.sleep(20); // what takes its time
                answer(exchange, 200, permit.fencingToken() + " " + permit.holdersAtGrant());
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
