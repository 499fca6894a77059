package io.signalbox.java;

/**
 * What this client has of one semaphore, mutex or event at the moment; as far as it knows, without asking the store. Made by {@link
 * Signalbox#usage()}.
 *
 * @param kind what it is
 * @param name its name
 * @param heldPermits how many permits are in the hands of this client
 * @param waiting how many acquires of this client have not ended: they are in the queue, or on their way to it
 */
public record HandleUsage(Observation.Kind kind, String name, int heldPermits, int waiting) {}
