package io.signalbox.examples.java;

import io.signalbox.java.Signalbox;

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
                    System.out.println("begin " + permit.fencingToken() + " " + args[1] + " " + number);
                    Thread.sleep(5);
                    System.out.println("end " + permit.fencingToken() + " holders " + permit.holdersAtGrant());
                    return number;
                });
            }
        }
        System.out.println("done");
    }
}
