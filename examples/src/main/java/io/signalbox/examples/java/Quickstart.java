package io.signalbox.examples.java;

// region quickstart
import io.signalbox.java.Signalbox;

class Quickstart {
    public static void main(String[] args) throws InterruptedException {
        try (var signalbox = Signalbox.connect("redis://localhost")) {
            var crossing = signalbox.semaphore("crossing", 2);
            try (var permit = crossing.acquire()) {
                System.out.println(
                        "At most 2 processes get here at a time. This is grant " + permit.fencingToken() + ".");
            }
        }
    }
}
// endregion
