package io.signalbox.micrometer.java;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.signalbox.java.Mutex;
import io.signalbox.java.PermitCallable;
import io.signalbox.java.Semaphore;
import io.signalbox.java.timers.BlockingTimerHandler;
import io.signalbox.java.timers.FiredTimer;
import io.signalbox.java.timers.NewTimer;
import io.signalbox.java.timers.TimerHandler;
import io.signalbox.java.timers.Topic;
import io.signalbox.micrometer.internal.Spans;
import java.util.LinkedHashMap;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Observations of one registry, and so spans where it has a tracer: of waiting for permits, of holding them, and of timers, which carry the trace in their
 * metadata. All methods are safe to use from any thread.
 *
 * <pre>{@code
 * var observations = SignalboxObservations.of(registry);
 * observations.withPermit(exports, permit -> export());
 *
 * timers.schedule(REMINDERS, observations.carried(REMINDERS, NewTimer.after("42", reminder, Duration.ofMinutes(5))));
 * TimerRouter.builder().blockingHandler(REMINDERS, observations.blockingHandler(this::remind));
 * }</pre>
 */
public final class SignalboxObservations {
    private final ObservationRegistry registry;

    private SignalboxObservations(ObservationRegistry registry) {
        this.registry = Objects.requireNonNull(registry, "registry");
    }

    /**
     * Observations in a registry.
     *
     * @param registry where they go
     * @return what makes them
     */
    public static SignalboxObservations of(ObservationRegistry registry) {
        return new SignalboxObservations(registry);
    }

    /**
     * {@link Semaphore#withPermit(PermitCallable)} with two observations: {@code signalbox.permit.wait} from here to the grant, {@code signalbox.permit.hold} around
     * the work, in which it is the current one of the thread.
     *
     * @param <T> what the work returns
     * @param <X> what the work fails with
     * @param semaphore whose permit is needed
     * @param work runs on this thread
     * @return what the work returned
     * @throws InterruptedException if the thread is interrupted before the permit is there; observed, as whatever the semaphore throws
     * @throws X what the work throws; observed as well
     */
    public <T extends @Nullable Object, X extends Exception> T withPermit(
            Semaphore semaphore, PermitCallable<T, X> work) throws X, InterruptedException {
        return observed("semaphore", semaphore.name(), held -> semaphore.<T, X>withPermit(held), work);
    }

    /**
     * {@link Mutex#withLock(PermitCallable)} with two observations, as {@link #withPermit(Semaphore, PermitCallable)}.
     *
     * @param <T> what the work returns
     * @param <X> what the work fails with
     * @param mutex that is to be locked
     * @param work runs on this thread
     * @return what the work returned
     * @throws InterruptedException if the thread is interrupted before the lock is there; observed, as whatever the mutex throws
     * @throws X what the work throws; observed as well
     */
    public <T extends @Nullable Object, X extends Exception> T withLock(Mutex mutex, PermitCallable<T, X> work)
            throws X, InterruptedException {
        return observed("mutex", mutex.name(), held -> mutex.<T, X>withLock(held), work);
    }

    /**
     * The same timer with what goes on with the current trace in its metadata, and an observation {@code signalbox.timer.schedule} of now. Entries of its own win.
     *
     * @param <T> the type of the payload
     * @param topic its topic
     * @param timer what is to be set
     * @return what is to be set instead
     */
    public <T> NewTimer<T> carried(Topic<T> topic, NewTimer<T> timer) {
        if (registry.isNoop()) return timer;
        var carrier = new LinkedHashMap<String, String>();
        Spans.INSTANCE.schedule(registry, topic.name(), carrier).start().stop();
        carrier.putAll(timer.metadata());
        return timer.metadata(carrier);
    }

    /**
     * The same handler within an observation {@code signalbox.timer.handle}, which goes on with the trace that the timer carries and is the current one of the
     * thread that handles it.
     *
     * @param <T> the type of the payload
     * @param handler what is to be observed
     * @return what is to be routed to instead
     */
    public <T> BlockingTimerHandler<T> blockingHandler(BlockingTimerHandler<T> handler) {
        return (payload, timer) -> {
            var observation = handling(timer);
            observation.observeChecked(() -> handler.handle(payload, timer));
        };
    }

    /**
     * {@link #blockingHandler(BlockingTimerHandler)} for one that returns a stage: observed to the completion of that, and the current one only of the thread that begins
     * it, as long as that takes.
     *
     * @param <T> the type of the payload
     * @param handler what is to be observed
     * @return what is to be routed to instead
     */
    public <T> TimerHandler<T> handler(TimerHandler<T> handler) {
        return (payload, timer) -> {
            var observation = handling(timer).start();
            var scope = observation.openScope();
            try {
                return handler.handle(payload, timer).whenComplete((result, problem) -> {
                    if (problem != null) observation.error(problem);
                    observation.stop();
                });
            } catch (Exception | Error problem) {
                observation.error(problem);
                observation.stop();
                throw problem;
            } finally {
                scope.close();
            }
        };
    }

    private Observation handling(FiredTimer timer) {
        return Spans.INSTANCE.handle(registry, timer.topic(), timer.id(), timer.attempt(), timer.metadata());
    }

    private interface Blocks<T extends @Nullable Object, X extends Exception> {
        T with(PermitCallable<T, X> work) throws X, InterruptedException;
    }

    private <T extends @Nullable Object, X extends Exception> T observed(
            String kind, String name, Blocks<T, X> blocks, PermitCallable<T, X> work) throws X, InterruptedException {
        var wait = Spans.INSTANCE.wait(registry, kind, name).start();
        var granted = new boolean[1];
        try {
            return blocks.with(permit -> {
                granted[0] = true;
                wait.stop();
                var hold = Spans.INSTANCE.hold(registry, kind, name, permit.fencingToken());
                return hold.observeChecked(() -> work.call(permit));
            });
        } catch (Exception | Error problem) {
            if (!granted[0]) {
                wait.error(problem);
                wait.stop();
            }
            throw problem;
        }
    }
}
