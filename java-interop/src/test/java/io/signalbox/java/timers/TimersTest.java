package io.signalbox.java.timers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.java.Signalbox;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The view on timers: what timers do is shown where they are implemented. */
@Timeout(30)
class TimersTest {
    record Reminder(String message, int count) {}

    private static final Topic<Reminder> REMINDERS = Topic.of("reminders", JacksonCodec.of(Reminder.class));
    private static final Topic<String> NOTES = Topic.of("notes", TimerCodec.text());

    private final Signalbox signalbox = Signalbox.inMemory();

    @AfterEach
    void close() {
        signalbox.close();
    }

    private Timers timers(TimerRouter router) {
        return Timers.create(signalbox, TimersOptions.builder().router(router).build());
    }

    @Test
    void aTimerIsHandledOnceItIsDueByBothKindsOfHandlers() throws Exception {
        var heard = new LinkedBlockingQueue<String>();
        var timers = timers(TimerRouter.builder()
                .blockingHandler(REMINDERS, (reminder, timer) -> heard.add(timer.id() + reminder))
                .handler(NOTES, (note, timer) -> CompletableFuture.runAsync(() -> heard.add(timer.topic() + note)))
                .build());
        timers.schedule(REMINDERS, "1", new Reminder("hi", 1), Duration.ofMillis(1));
        timers.async().schedule(NOTES, "2", "later", timers.now().plusMillis(2)).get();
        try (var worker = timers.start()) {
            assertThrows(IllegalStateException.class, timers::start);
            assertFalse(worker.ended().isDone());
            assertEquals(
                    java.util.Set.of("1Reminder[message=hi, count=1]", "noteslater"),
                    java.util.Set.of(heard.take(), heard.take()));
        }
        assertEquals(0, timers.count(NOTES));
    }

    @Test
    void onePassHandlesWhatIsReady() throws Exception {
        var timers = timers(TimerRouter.builder()
                .blockingHandler(NOTES, TopicOptions.builder().attempts(1).build(), (note, timer) -> {
                    if (note.equals("bad")) throw new IOException("broken on purpose");
                })
                .build());
        timers.scheduleAll(
                NOTES,
                List.of(
                        NewTimer.at("good", "good", Instant.EPOCH),
                        NewTimer.at("bad", "bad", Instant.EPOCH),
                        NewTimer.after("later", "later", Duration.ofHours(1))));
        assertEquals(new HandledTimers(1, 0, 0, 1), timers.handleReady());
        var dead = timers.deadTimers("notes", TimerQuery.all()).timers().get(0);
        assertEquals(DeadTimer.Kind.DEAD, dead.kind());
        assertTrue(dead.reason().contains("broken on purpose"), dead.reason());
        assertEquals("bad", new String(dead.rawPayload()));
        assertTrue(timers.requeue("notes", "bad", Duration.ofHours(1)));
        assertEquals(
                List.of("bad", "later"),
                timers.list(NOTES, TimerQuery.all().limit(5)).timers().stream()
                        .map(Timer::id)
                        .sorted()
                        .toList());
        assertTrue(timers.cancel(NOTES, "bad"));
        assertFalse(timers.discard("notes", "bad"));
        assertEquals("later", timers.get(NOTES, "later").orElseThrow().payload());
        assertTrue(timers.pause(NOTES, "later"));
        assertEquals(
                Timer.State.PAUSED, timers.get(NOTES, "later").orElseThrow().state());
        assertTrue(timers.resume(NOTES, "later"));
        assertTrue(timers.async().get(NOTES, "gone").get().isEmpty());
        assertTrue(timers.deadTimers(TimerQuery.all()).timers().isEmpty());
    }

    @Test
    void recurringTimers() throws Exception {
        var timers = timers(TimerRouter.builder()
                .blockingHandler(NOTES, (note, timer) -> {})
                .build());
        var daily = Recurrence.cron("0 7 * * *");
        assertTrue(timers.scheduleRecurring(NOTES, "daily", "wake up", daily));
        assertFalse(timers.scheduleRecurring(NOTES, "daily", "wake up", daily));
        assertEquals(
                daily, timers.get(NOTES, "daily").orElseThrow().recurrence().orElseThrow());
        assertTrue(timers.scheduleRecurring(
                NOTES, "often", "again", Recurrence.fixedDelay(Duration.ofHours(1)), Instant.EPOCH));
        assertEquals(1, timers.handleReady().succeeded());
        assertEquals(2, timers.count(NOTES));
        assertThrows(IllegalArgumentException.class, () -> Recurrence.cron("every morning"));
        assertThrows(IllegalArgumentException.class, () -> Recurrence.fixedRate(Duration.ZERO));
    }

    @Test
    void aHandlerThatTakesTooLongIsInterruptedAndAStageCancelled() throws Exception {
        var interrupted = new CountDownLatch(1);
        var cancelled = new CountDownLatch(1);
        // On a busy machine time can be up before the handler has begun. Then it is called again.
        var brief = TopicOptions.builder()
                .timeout(Duration.ofMillis(20))
                .attempts(1_000)
                .backoff(Duration.ofMillis(1))
                .backoffFactor(1)
                .build();
        var timers = timers(TimerRouter.builder()
                .blockingHandler(NOTES, brief, (note, timer) -> {
                    try {
                        new CountDownLatch(1).await();
                    } finally {
                        interrupted.countDown();
                    }
                })
                .handler(REMINDERS, brief, (reminder, timer) -> {
                    var stage = new CompletableFuture<Void>();
                    stage.whenComplete((result, failure) -> {
                        if (stage.isCancelled()) cancelled.countDown();
                    });
                    return stage;
                })
                .build());
        timers.schedule(NOTES, "1", "slow", Instant.EPOCH);
        timers.schedule(REMINDERS, "1", new Reminder("slow", 0), Instant.EPOCH);
        try (var worker = timers.start()) {
            interrupted.await();
            cancelled.await();
            assertFalse(worker.ended().isDone());
        }
    }

    @Test
    void misuseIsNamed() throws Exception {
        var builder = TimerRouter.builder()
                .blockingHandler(NOTES, (note, timer) -> {})
                .blockingHandler(NOTES, (note, timer) -> {});
        assertTrue(assertThrows(IllegalArgumentException.class, builder::build)
                .getMessage()
                .contains("'notes'"));
        assertTrue(assertThrows(
                        IllegalArgumentException.class,
                        () -> Timers.create(
                                signalbox,
                                TimersOptions.builder().concurrency(0).build()))
                .getMessage()
                .contains("but was 0"));
        var setting =
                Timers.create(signalbox, TimersOptions.builder().declare(NOTES).build());
        assertThrows(IllegalStateException.class, setting::start);
        assertThrows(IllegalArgumentException.class, () -> TimerQuery.all().limit(0));
        assertThrows(IllegalArgumentException.class, () -> setting.schedule(NOTES, " ", "x", Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> setting.schedule(NOTES, "x", "x", Duration.ofSeconds(-1)));
    }
}
