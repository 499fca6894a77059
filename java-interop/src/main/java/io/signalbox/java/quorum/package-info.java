/**
 * Semaphores and mutexes that a majority of 3, 5 or 7 independent Redis or Valkey servers keeps. Needs the artifact {@code signalbox-quorum} beside
 * this one.
 *
 * <pre>{@code
 * try (var quorum = SignalboxQuorum.connect(List.of("redis://a", "redis://b", "redis://c"))) {
 *     quorum.mutex("nightly-report").withLock(() -> write(report));
 * }
 * }</pre>
 *
 * <p>The two views, threads, cancellation, errors and {@code null} are as in {@link io.signalbox.java}.
 */
@NullMarked
package io.signalbox.java.quorum;

import org.jspecify.annotations.NullMarked;
