package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.lettuce.core.RedisCredentials;
import io.lettuce.core.RedisCredentialsProvider;
import io.lettuce.core.cluster.RedisClusterClient;
import io.signalbox.StoreUnavailableException;
import io.signalbox.testkit.RedisTopology;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** Clusters, and how servers are reached. */
class ClusterTest {
    @Test
    void aClusterIsFoundByOneAddressBySeveralAndByADriversClient() throws Exception {
        try (var cluster = RedisTopology.cluster(2, 0)) {
            var uri = cluster.getUri();
            var some = "redis://" + uri.substring(uri.indexOf("//") + 2).split(",")[0];
            var lettuce = RedisClusterClient.create(some);
            try (var first = Signalbox.connectCluster(uri);
                    var second = Signalbox.connectCluster(List.of(some), SignalboxOptions.defaults());
                    var third = Signalbox.connect(lettuce)) {
                var held = first.semaphore("api", 2).acquire();
                var also = second.semaphore("api", 2).acquire();
                assertTrue(also.fencingToken() > held.fencingToken());
                assertTrue(third.semaphore("api", 2).tryAcquire().isEmpty());
                var waiting = third.async().semaphore("api", 2).thenCompose(AsyncSemaphore::acquire);
                held.close();
                waiting.get().close();
                also.close();
                for (int i = 0; i < 20; i++) {
                    first.event("e" + i).set();
                    assertTrue(second.event("e" + i).tryAwait());
                }
            } finally {
                lettuce.shutdown();
            }
        }
    }

    @Test
    void connectionOptionsAreCheckedWhenTheClientIsMade() {
        var missing = ConnectionOptions.builder()
                .trustedCertificates(Path.of("/no/such/file"))
                .build();
        var options = SignalboxOptions.builder().connection(missing).build();
        var refusal =
                assertThrows(IllegalArgumentException.class, () -> Signalbox.connect("rediss://localhost", options));
        assertTrue(refusal.getMessage().contains("/no/such/file"), refusal.getMessage());
        assertThrows(IllegalArgumentException.class, () -> Signalbox.connectCluster("rediss://localhost", options));
    }

    @Test
    void credentialsAndOptionsOfTheDriverAreTheUsers() throws Exception {
        try (var server =
                io.signalbox.testkit.RedisServer.start(new io.signalbox.testkit.RedisSettings().password("secret"))) {
            RedisCredentialsProvider provider = () -> Mono.just(RedisCredentials.just("default", "secret"));
            var connection = ConnectionOptions.builder()
                    .credentials(provider)
                    .options(options -> options.requestQueueSize(1000))
                    .build();
            var uri = "redis://" + server.getHost() + ":" + server.getPort();
            try (var signalbox = Signalbox.connect(
                            uri,
                            SignalboxOptions.builder().connection(connection).build());
                    var permit = signalbox.semaphore("api", 1).acquire()) {
                assertTrue(permit.fencingToken() > 0);
            }
        }
    }

    @Test
    void aGrantThatNoReplicaHasInTimeIsGivenBack() throws Exception {
        var options = SignalboxOptions.builder()
                .durability(Durability.replicated(1, Duration.ofMillis(50)))
                .build();
        try (var server = io.signalbox.testkit.RedisServer.start(new io.signalbox.testkit.RedisSettings());
                var signalbox = Signalbox.connect(server.getUri(), options)) {
            var semaphore = signalbox.semaphore("api", 1);
            var refusal = assertThrows(StoreUnavailableException.class, semaphore::acquire);
            assertTrue(refusal.getMessage().contains("0 of 1 replicas"), refusal.getMessage());
            assertEquals(1, semaphore.availablePermits());
        }
        assertEquals(Durability.onDisk(1, Duration.ofSeconds(1)), Durability.onDisk(1, Duration.ofSeconds(1)));
        assertThrows(IllegalArgumentException.class, () -> Durability.replicated(0, Duration.ofSeconds(1)));
    }
}
