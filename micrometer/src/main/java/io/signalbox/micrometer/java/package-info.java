/**
 * Metrics and observations of the API for Java: {@link io.signalbox.micrometer.java.SignalboxMetrics} of a client,
 * {@link io.signalbox.micrometer.java.TimersMetrics} of a service of timers, {@link io.signalbox.micrometer.java.SignalboxObservations} for traces. Needs
 * {@code signalbox-java}.
 */
@NullMarked
package io.signalbox.micrometer.java;

import org.jspecify.annotations.NullMarked;
