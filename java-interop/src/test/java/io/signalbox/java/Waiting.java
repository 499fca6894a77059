package io.signalbox.java;

import java.time.Duration;
import java.util.concurrent.Callable;

/** Conditions at the network's edge. */
final class Waiting {
    /** Far more than anything here takes. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private Waiting() {}

    static void until(String what, Callable<Boolean> condition) throws Exception {
        until(what, PATIENCE, condition);
    }

    static void until(String what, Duration patience, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + patience.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() > end) throw new AssertionError("Not within " + patience + ": " + what);
            Thread.sleep(1);
        }
    }

    static void untilQueued(int length, Semaphore semaphore) throws Exception {
        until(length + " in the queue", () -> semaphore.snapshot().queueLength() == length);
    }
}
