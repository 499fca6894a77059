package io.signalbox.consumer;

import io.signalbox.java.Signalbox;

/** A build whose Kotlin and coroutines are too old is told so by every way to a client, with the properties to set. */
public final class Refused {
    private Refused() {}

    public static void main(String[] arguments) {
        refused(() -> Signalbox.connect("redis://localhost"));
        refused(Signalbox::inMemory);
        System.out.println("2 cases passed");
    }

    private static void refused(Runnable connect) {
        try {
            connect.run();
        } catch (IllegalStateException expected) {
            var text = expected.getMessage();
            System.out.println(text);
            for (var part : new String[] {
                "kotlin-stdlib: found 1.9.25, needed 2.2.0 or newer",
                "kotlinx-coroutines-core: found 1.8.1, needed 1.10.2 or newer",
                "the properties kotlin.version, kotlin-coroutines.version"
            }) {
                if (!text.contains(part)) throw new AssertionError("not said: " + part);
            }
            return;
        }
        throw new AssertionError("made a client that would not work");
    }
}
