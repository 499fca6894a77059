package io.signalbox.java;

import java.time.Duration;

/**
 * One round trip with the store about one semaphore, mutex or event, in which everything travels that a client has to say of it at that moment; see
 * {@link SignalboxListener#onExchanged(Exchanged)}. A pool on Redis has none: its commands travel one by one.
 *
 * @param kind what it is about
 * @param name its name
 * @param operations how many acquires, releases and places given up, and questions, travelled in it; 0 if it only renewed the lease
 * @param took from the moment at which it was last sent
 */
public record Exchanged(Observation.Kind kind, String name, int operations, Duration took) {}
