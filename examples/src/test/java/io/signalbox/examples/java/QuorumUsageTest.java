package io.signalbox.examples.java;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.signalbox.testkit.RedisProcess;
import io.signalbox.testkit.RedisServer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What docs/quorum.md shows in Java, on three servers. */
@Timeout(120)
class QuorumUsageTest {
    @Test
    void theReportIsWrittenUnderTheLock() throws Exception {
        var servers = List.of(RedisServer.start(), RedisServer.start(), RedisServer.start());
        var written = new ArrayList<Long>();
        try {
            Usage.quorum(servers.stream().map(RedisProcess::getUri).toList(), written::add);
        } finally {
            servers.forEach(RedisProcess::close);
        }
        assertEquals(1, written.size());
    }
}
