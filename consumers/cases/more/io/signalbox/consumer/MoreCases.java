package io.signalbox.consumer;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.signalbox.java.Signalbox;
import io.signalbox.java.quorum.QuorumOptions;
import io.signalbox.java.quorum.SignalboxQuorum;
import io.signalbox.micrometer.java.SignalboxMetrics;
import io.signalbox.testkit.RedisProcess;
import io.signalbox.testkit.RedisServer;
import java.time.Duration;
import java.util.stream.Stream;

/** What is in artifacts of its own, after everything else. */
public final class MoreCases {
    private MoreCases() {}

    public static void main(String[] arguments) throws Exception {
        int cases = JavaCases.run();
        quorum();
        metrics();
        System.out.println(cases + 2 + " cases passed");
    }

    /** On servers, for the sake of its script. */
    private static void quorum() throws Exception {
        var options = QuorumOptions.builder()
                .lease(Duration.ofSeconds(1))
                .storeTimeout(Duration.ofMinutes(1))
                .build();
        var servers = Stream.generate(() -> RedisServer.start()).limit(3).toList();
        var uris = servers.stream().map(RedisProcess::getUri).toList();
        try (var quorum = SignalboxQuorum.connect(uris, options)) {
            long first = quorum.mutex("report").withLock(permit -> permit.fencingToken());
            long second = quorum.mutex("report").withLock(permit -> permit.fencingToken());
            expect(second > first, "fencing tokens of a quorum grow");
            expect(quorum.semaphore("exports", 2).tryAcquire().isPresent(), "a permit of a quorum");
        } finally {
            servers.forEach(RedisProcess::close);
        }
    }

    private static void metrics() throws Exception {
        var registry = new SimpleMeterRegistry();
        try (var signalbox = Signalbox.connect(RedisServer.shared().getUri());
                var metrics = SignalboxMetrics.of(signalbox)) {
            metrics.bindTo(registry);
            signalbox.semaphore("measured", 1).withPermit(() -> "done");
            var granted = registry.get("signalbox.acquire").tag("name", "measured").timer();
            expect(granted.count() == 1, "one acquire was measured");
        }
    }

    private static void expect(boolean holds, String what) {
        if (!holds) throw new AssertionError("expected: " + what);
    }
}
