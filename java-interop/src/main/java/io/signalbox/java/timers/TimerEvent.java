package io.signalbox.java.timers;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Something that happened to a timer in this process. */
public sealed interface TimerEvent {
    /**
     * The topic's name.
     *
     * @return the name
     */
    String topic();

    /**
     * The timer's id within its topic.
     *
     * @return the id
     */
    String id();

    /**
     * When it was due at first.
     *
     * @return by the server's clock
     */
    Instant due();

    /**
     * Which attempt it was.
     *
     * @return 1 or more
     */
    int attempt();

    /**
     * A handler begins.
     *
     * @param topic the topic's name
     * @param id the timer's id within its topic
     * @param due when it was due at first
     * @param attempt which attempt it was, from 1 on
     * @param lag how long after the moment it was due, or due again, by the server's clock
     */
    record Fired(String topic, String id, Instant due, int attempt, Duration lag) implements TimerEvent {}

    /**
     * A handler returned.
     *
     * @param topic the topic's name
     * @param id the timer's id within its topic
     * @param due when it was due at first
     * @param attempt which attempt it was, from 1 on
     * @param took how long it ran
     */
    record Succeeded(String topic, String id, Instant due, int attempt, Duration took) implements TimerEvent {}

    /**
     * A handler failed, and the timer comes again.
     *
     * @param topic the topic's name
     * @param id the timer's id within its topic
     * @param due when it was due at first
     * @param attempt which attempt it was, from 1 on
     * @param after after what pause
     * @param cause what the handler failed with
     * @param took how long the handler ran; empty if it did not begin
     */
    record Retried(
            String topic, String id, Instant due, int attempt, Duration after, Throwable cause, Optional<Duration> took)
            implements TimerEvent {}

    /**
     * A payload could not be decoded.
     *
     * @param topic the topic's name
     * @param id the timer's id within its topic
     * @param due when it was due at first
     * @param attempt which attempt it was, from 1 on
     * @param cause what the codec threw
     */
    record Parked(String topic, String id, Instant due, int attempt, Throwable cause) implements TimerEvent {}

    /**
     * A timer has used up its attempts. If it recurs, only this occurrence is given up.
     *
     * @param topic the topic's name
     * @param id the timer's id within its topic
     * @param due when it was due at first
     * @param attempt which attempt it was, from 1 on
     * @param cause what its last handler failed with; empty if its last worker died
     * @param took how long its last handler ran; empty if it did not begin, or its worker died
     */
    record Dead(String topic, String id, Instant due, int attempt, Optional<Throwable> cause, Optional<Duration> took)
            implements TimerEvent {}

    /**
     * A handler's outcome had no effect: its timer was set anew, cancelled or paused meanwhile, or the claim on it ended and another worker has it.
     *
     * @param topic the topic's name
     * @param id the timer's id within its topic
     * @param due when it was due at first
     * @param attempt which attempt it was, from 1 on
     */
    record Superseded(String topic, String id, Instant due, int attempt) implements TimerEvent {}
}
