package io.signalbox.examples.java;

import io.signalbox.java.Signalbox;
import java.time.Instant;
import java.util.Locale;

/**
 * A plain program that does some jobs, with its copies in other processes at most two at a time.
 *
 * <p>Arguments: the URI of the server, a label for this process, and how many jobs.
 */
final class Batch {
    private Batch() {}

    public static void main(String[] args) throws Exception {
        try (var signalbox = Signalbox.connect(args[0])) {
            var semaphore = signalbox.semaphore("batch", 2);
            for (int job = 1; job <= Integer.parseInt(args[2]); job++) {
                int number = job;
                semaphore.withPermit(permit -> {
                    var begun = Instant.now();
                    Thread.sleep(5); // the job
                    System.out.printf(
                            Locale.ROOT,
                            "job %d of %s token %d from %s to %s%n",
                            number,
                            args[1],
                            permit.fencingToken(),
                            begun,
                            Instant.now());
                    return number;
                });
            }
        }
        System.out.println("done");
    }
}
