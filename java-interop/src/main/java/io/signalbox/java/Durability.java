package io.signalbox.java;

import java.time.Duration;

/**
 * Where else a grant has to be, beside the memory of the primary, before an acquire returns; see {@link SignalboxOptions.Builder#durability}.
 *
 * <p>It makes it rarer that a failover or a crash of the server forgets a grant, and does not rule it out: a replica may be promoted that is not
 * among those that have it.
 */
public final class Durability {
    private final int replicas;
    private final boolean onDisk;
    private final Duration timeout;

    private Durability(int replicas, boolean onDisk, Duration timeout) {
        this.replicas = Checks.within("replicas", replicas, onDisk ? 0 : 1, 100);
        this.onDisk = onDisk;
        this.timeout = Checks.within("timeout", timeout, Duration.ofMillis(1), Duration.ofDays(1));
    }

    /**
     * In the memory of some replicas ({@code WAIT}).
     *
     * @param replicas how many, 1 to 100
     * @param timeout how long that may take, 1 ms to 1 day; keep it well below the lease
     * @return what to give to the builder
     * @throws IllegalArgumentException if one of them is out of range
     */
    public static Durability replicated(int replicas, Duration timeout) {
        return new Durability(replicas, false, timeout);
    }

    /**
     * On the disk of the primary, and on those of some replicas ({@code WAITAOF}, from Redis 7.2 and Valkey on); all of them need an append-only
     * file.
     *
     * @param replicas on how many, 0 to 100
     * @param timeout how long that may take, 1 ms to 1 day; keep it well below the lease
     * @return what to give to the builder
     * @throws IllegalArgumentException if one of them is out of range
     */
    public static Durability onDisk(int replicas, Duration timeout) {
        return new Durability(replicas, true, timeout);
    }

    /**
     * How many replicas.
     *
     * @return 0 or more
     */
    public int replicas() {
        return replicas;
    }

    /**
     * Whether on disk.
     *
     * @return false for in memory
     */
    public boolean isOnDisk() {
        return onDisk;
    }

    /**
     * How long it may take.
     *
     * @return 1 ms or more
     */
    public Duration timeout() {
        return timeout;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Durability that
                && that.replicas == replicas
                && that.onDisk == onDisk
                && that.timeout.equals(timeout);
    }

    @Override
    public int hashCode() {
        return (replicas * 2 + (onDisk ? 1 : 0)) * 31 + timeout.hashCode();
    }

    @Override
    public String toString() {
        return "Durability[replicas=" + replicas + ", onDisk=" + onDisk + ", timeout=" + timeout + "]";
    }
}
