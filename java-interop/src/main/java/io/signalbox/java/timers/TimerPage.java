package io.signalbox.java.timers;

import java.util.List;
import java.util.Optional;

/**
 * Some timers, and where the next ones begin.
 *
 * @param <T> the type of payloads
 * @param timers in ascending order of {@link Timer#next()} and id
 * @param next to be given to the next query; empty if there are no more
 */
public record TimerPage<T>(List<Timer<T>> timers, Optional<String> next) {}
