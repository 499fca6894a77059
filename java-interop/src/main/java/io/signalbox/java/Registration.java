package io.signalbox.java;

/** Something that was registered, and can be taken back. */
@FunctionalInterface
public interface Registration extends AutoCloseable {
    /** Takes it back: what has not begun to run will not be called any more. Idempotent. */
    @Override
    void close();
}
