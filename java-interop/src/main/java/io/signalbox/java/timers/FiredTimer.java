package io.signalbox.java.timers;

import io.signalbox.java.internal.Nulls;
import java.time.Instant;
import java.util.Map;

/**
 * What a handler knows of the timer it handles, besides the payload.
 *
 * @param topic the timer's topic
 * @param id its id within its topic
 * @param due when it was due at first, by the server's clock; retries do not change it, each occurrence of a recurring timer has its own
 * @param attempt 1 for the first time this timer is handled, more after failures and after deaths of workers
 * @param fencingToken larger for every later claim of the same timer: whoever keeps the largest one seen can tell a handler that was overtaken,
 *     because its process was frozen for longer than its claim lasted
 * @param metadata what was given beside the payload
 */
public record FiredTimer(
        String topic, String id, Instant due, int attempt, long fencingToken, Map<String, String> metadata) {
    /**
     * Makes one, for tests of handlers.
     *
     * @param topic the timer's topic
     * @param id its id within its topic
     * @param due when it was due at first
     * @param attempt 1 for the first time
     * @param fencingToken larger for every later claim
     * @param metadata what was given beside the payload
     */
    public FiredTimer {
        Nulls.given(topic, "topic");
        Nulls.given(id, "id");
        Nulls.given(due, "due");
        metadata = Map.copyOf(Nulls.allGiven(metadata, "metadata"));
    }
}
