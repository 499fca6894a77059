/**
 * Durable timers: set by any process, handled by one of the processes that run a handler for their topic.
 *
 * <pre>{@code
 * var reminders = Topic.of("reminders", JacksonCodec.of(Reminder.class));
 * var router = TimerRouter.builder()
 *         .blockingHandler(reminders, (reminder, timer) -> mail.send(reminder.message()))
 *         .build();
 * var timers = Timers.create(signalbox, TimersOptions.builder().router(router).build());
 * timers.schedule(reminders, "42", new Reminder("call back"), Duration.ofMinutes(5));
 * try (var worker = timers.start()) {
 *     // handles timers until it is closed
 * }
 * }</pre>
 *
 * <p>The two views, threads, cancellation, errors and {@code null} are as in {@link io.signalbox.java}.
 */
@NullMarked
package io.signalbox.java.timers;

import org.jspecify.annotations.NullMarked;
