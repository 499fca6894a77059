package io.signalbox.java.timers;

import java.util.List;
import java.util.Optional;

/**
 * Some dead timers, and where the next ones begin.
 *
 * @param timers in ascending order of {@link DeadTimer#since()} and id within each topic
 * @param next to be given to the next query; empty if there are no more
 */
public record DeadTimerPage(List<DeadTimer> timers, Optional<String> next) {}
