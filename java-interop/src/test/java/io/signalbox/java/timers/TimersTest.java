package io.signalbox.java.timers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.java.Signalbox;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

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

    record Moments(ZonedDateTime zoned, OffsetDateTime offset, Instant instant, LocalDate date, Duration duration) {}

    private static final Moments MOMENTS = new Moments(
            ZonedDateTime.parse("2026-03-29T12:30:00.123+02:00[Europe/Berlin]"),
            OffsetDateTime.parse("2026-03-29T12:30:00.123456789-05:00"),
            Instant.parse("2026-03-29T12:30:00.123456789Z"),
            LocalDate.parse("2026-03-29"),
            Duration.parse("PT1H0.5S"));

    @Test
    void momentsComeBackWithTheirZonesByBothVersionsOfJackson() throws Exception {
        for (var codec : List.of(JacksonCodec.of(Moments.class), Jackson3Codec.of(Moments.class))) {
            assertEquals(MOMENTS, codec.decode(codec.encode(MOMENTS)));
        }
        // What one has written the other one reads.
        assertEquals(
                MOMENTS,
                Jackson3Codec.of(Moments.class)
                        .decode(JacksonCodec.of(Moments.class).encode(MOMENTS)));
        assertEquals(
                MOMENTS,
                JacksonCodec.of(Moments.class)
                        .decode(Jackson3Codec.of(Moments.class).encode(MOMENTS)));
    }

    @Test
    void payloadsCanBeOfGenericTypes() throws Exception {
        var payload = Map.of("a", List.of(new Reminder("x", 1)));
        var two = JacksonCodec.of(new com.fasterxml.jackson.core.type.TypeReference<Map<String, List<Reminder>>>() {});
        assertEquals(payload, two.decode(two.encode(payload)));
        var three = Jackson3Codec.of(new tools.jackson.core.type.TypeReference<Map<String, List<Reminder>>>() {});
        assertEquals(payload, three.decode(three.encode(payload)));
    }

    @com.fasterxml.jackson.annotation.JsonTypeInfo(use = com.fasterxml.jackson.annotation.JsonTypeInfo.Id.NAME)
    sealed interface Shape {
        record Circle(double radius) implements Shape {}
    }

    @Test
    void whatCannotBeReadBackFailsWhenItIsScheduled() throws Exception {
        var shapes = Topic.of("shapes", JacksonCodec.of(Shape.class));
        var timers =
                Timers.create(signalbox, TimersOptions.builder().declare(shapes).build());
        var refused = assertThrows(
                IllegalArgumentException.class,
                () -> timers.schedule(shapes, "a", new Shape.Circle(1), Duration.ofHours(1)));
        assertTrue(refused.getMessage().contains("cannot be decoded again"), refused.getMessage());
        assertEquals(0, timers.count(shapes));
    }

    @Test
    void aSealedTypeNeedsNoListOfItsSubtypesWithJackson3() throws Exception {
        var shapes = Topic.of("shapes", Jackson3Codec.of(Shape.class));
        var heard = new LinkedBlockingQueue<Shape>();
        var timers = timers(TimerRouter.builder()
                .blockingHandler(shapes, (shape, timer) -> heard.add(shape))
                .build());
        timers.schedule(shapes, "a", new Shape.Circle(1), Duration.ZERO);
        assertEquals(1, timers.handleReady().succeeded());
        assertEquals(new Shape.Circle(1), heard.take());
    }

    @Test
    void halfACharacterIsRefused() {
        var timers =
                Timers.create(signalbox, TimersOptions.builder().declare(NOTES).build());
        assertTrue(assertThrows(
                        IllegalArgumentException.class,
                        () -> timers.schedule(NOTES, "a", "x\uD83D", Duration.ofHours(1)))
                .getMessage()
                .contains("surrogate"));
    }

    @Test
    void badOptionsAreRefusedAtOnce() {
        var topic = TopicOptions.builder();
        assertThrows(IllegalArgumentException.class, () -> topic.attempts(0));
        assertThrows(IllegalArgumentException.class, () -> topic.backoff(Duration.ofMillis(-1)));
        assertThrows(IllegalArgumentException.class, () -> topic.backoffFactor(0.5));
        assertThrows(IllegalArgumentException.class, () -> topic.backoffFactor(Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> topic.backoffJitter(1.5));
        assertThrows(IllegalArgumentException.class, () -> topic.timeout(Duration.ZERO));
        assertThrows(IllegalArgumentException.class, () -> topic.concurrency(0));
        topic.backoff(Duration.ofSeconds(3)).maxBackoff(Duration.ofSeconds(2));
        assertThrows(IllegalArgumentException.class, topic::build);
        // Longer than the longest pause that it has if nobody says anything.
        var patient = TopicOptions.builder().backoff(Duration.ofMinutes(6));
        refused("maxBackoff must be at least backoff, which is PT6M, but was 5 min by default.", patient::build);
        var timers = TimersOptions.builder();
        assertThrows(IllegalArgumentException.class, () -> timers.concurrency(0));
        assertThrows(IllegalArgumentException.class, () -> timers.takeoverAfter(Duration.ofMillis(99)));
        assertThrows(IllegalArgumentException.class, () -> timers.safetyCheck(Duration.ofDays(2)));
        assertThrows(IllegalArgumentException.class, () -> timers.drainTimeout(Duration.ofMillis(-1)));
        assertThrows(IllegalArgumentException.class, () -> timers.maxPayloadBytes(0));
        assertThrows(IllegalArgumentException.class, () -> timers.shards(257));
        assertThrows(IllegalArgumentException.class, () -> timers.previousShards(0));
        assertThrows(IllegalArgumentException.class, () -> timers.deadTimersPerTopic(0));
        assertThrows(IllegalArgumentException.class, () -> timers.deadTimersFor(Duration.ZERO));
    }

    @Test
    void metadataInterceptorsAndWhatSchedulersHave() throws Exception {
        var heard = new LinkedBlockingQueue<String>();
        var timers = Timers.create(
                signalbox,
                TimersOptions.builder()
                        .router(TimerRouter.builder()
                                .blockingHandler(NOTES, (note, timer) -> heard.add(note + timer.metadata()))
                                .build())
                        .interceptor((timer, proceed) -> {
                            heard.add("before " + timer.id());
                            return proceed.get().thenRun(() -> heard.add("after " + timer.id()));
                        })
                        .build());
        timers.schedule(NOTES, NewTimer.after("a", "x", Duration.ofHours(1)).metadata(Map.of("tenant", "acme")));
        assertEquals(
                Map.of("tenant", "acme"), timers.get(NOTES, "a").orElseThrow().metadata());
        assertTrue(timers.runNow(NOTES, "a"));
        assertEquals(1, timers.handleReady().succeeded());
        assertEquals(List.of("before a", "x{tenant=acme}", "after a"), List.copyOf(heard));
        assertTrue(timers.pauseTopic(NOTES));
        assertEquals(java.util.Set.of("notes"), timers.pausedTopics());
        assertTrue(timers.resumeTopic(NOTES));
        timers.scheduleRecurring(
                NOTES, "r", "x", Recurrence.cron("@hourly").times(3).until(Instant.parse("2100-01-01T00:00:00Z")));
        assertTrue(timers.pause(NOTES, "r"));
        assertEquals(1, timers.countPaused(NOTES));
        assertEquals(1, timers.listPaused(NOTES, TimerQuery.all()).timers().size());
    }

    /** Must not be looked at. */
    private static final class Untouchable extends RuntimeException {
        private static final long serialVersionUID = 1;

        @Override
        public String getMessage() {
            throw new IllegalStateException("no message");
        }

        @Override
        public String toString() {
            throw new IllegalStateException("no text");
        }
    }

    @Test
    void anExceptionThatCannotBeShownIsItsTimersAlone() throws Exception {
        var heard = new LinkedBlockingQueue<String>();
        var once = TopicOptions.builder().attempts(1).build();
        var timers = timers(TimerRouter.builder()
                .blockingHandler(NOTES, once, (note, timer) -> {
                    if (note.equals("bad")) throw new Untouchable();
                    heard.add(note);
                })
                .handler(REMINDERS, once, (reminder, timer) -> CompletableFuture.failedFuture(new Untouchable()))
                .build());
        timers.schedule(NOTES, "1", "bad", Duration.ZERO);
        timers.schedule(REMINDERS, "1", new Reminder("bad", 0), Duration.ZERO);
        assertEquals(new HandledTimers(0, 0, 0, 2), timers.handleReady());
        assertTrue(timers.deadTimers("notes", TimerQuery.all())
                .timers()
                .get(0)
                .reason()
                .contains("Untouchable"));
        try (var worker = timers.start()) {
            timers.schedule(NOTES, "2", "bad", Duration.ZERO);
            timers.schedule(REMINDERS, "2", new Reminder("bad", 0), Duration.ZERO);
            timers.schedule(NOTES, "3", "fine", Duration.ofMillis(1));
            assertEquals("fine", heard.take());
            assertFalse(worker.ended().isDone());
        }
        assertEquals(4, timers.deadTimers(TimerQuery.all()).timers().size());
    }

    private static void refused(String text, Executable call) {
        var message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains(text), message);
    }

    @Test
    void momentsBeyondEveryCalendarAreRefusedAndThoseBeforeItHavePassed() throws Exception {
        var timers = timers(TimerRouter.builder()
                .blockingHandler(NOTES, (note, timer) -> {})
                .build());
        var hourly = Recurrence.fixedRate(Duration.ofHours(1));
        var never = NewTimer.at("a", "x", Instant.MAX);
        refused("year 9999", () -> timers.schedule(NOTES, "a", "x", Instant.MAX));
        refused("year 9999", () -> timers.schedule(NOTES, never));
        refused("year 9999", () -> timers.scheduleAll(NOTES, List.of(never)));
        refused("first", () -> timers.scheduleRecurring(NOTES, "a", "x", hourly, Instant.MAX));
        for (var call : List.<Supplier<CompletableFuture<?>>>of(
                () -> timers.async().schedule(NOTES, "a", "x", Instant.MAX),
                () -> timers.async().schedule(NOTES, never),
                () -> timers.async().scheduleAll(NOTES, List.of(never)),
                () -> timers.async().scheduleRecurring(NOTES, "a", "x", hourly, Instant.MAX))) {
            assertInstanceOf(
                    IllegalArgumentException.class,
                    assertThrows(ExecutionException.class, () -> call.get().get())
                            .getCause());
        }
        assertEquals(0, timers.count(NOTES));
        timers.schedule(NOTES, "a", "x", Instant.MIN);
        timers.schedule(NOTES, NewTimer.at("b", "x", Instant.MIN));
        timers.scheduleAll(NOTES, List.of(NewTimer.at("c", "x", Instant.MIN)));
        timers.scheduleRecurring(NOTES, "d", "x", hourly, Instant.MIN);
        var all = TimerQuery.all();
        assertEquals(
                4,
                timers.list(NOTES, all.from(Instant.MIN).until(Instant.MAX))
                        .timers()
                        .size());
        assertEquals(List.of(), timers.list(NOTES, all.from(Instant.MAX)).timers());
        assertEquals(List.of(), timers.list(NOTES, all.until(Instant.MIN)).timers());
        assertEquals(4, timers.handleReady().succeeded());
        // What ends after all calendars does not end, and what has ended before them never occurs.
        assertTrue(timers.scheduleRecurring(NOTES, "d", "x", hourly.until(Instant.MAX)));
        assertEquals(1, timers.count(NOTES));
        refused("never occurs", () -> timers.scheduleRecurring(NOTES, "e", "x", hourly.until(Instant.MIN)));
    }

    @Test
    void spansOfHundredsOfYearsAreRefusedOrForEver() throws Exception {
        for (var span : List.of(Duration.ofNanos(Long.MAX_VALUE), Duration.ofSeconds(Long.MAX_VALUE))) {
            refused("period", () -> Recurrence.fixedRate(span));
            refused("period", () -> Recurrence.fixedRate(span, Misfire.CATCH_UP));
            refused("delay", () -> Recurrence.fixedDelay(span));
            var options = TimersOptions.builder();
            refused("takeoverAfter", () -> options.takeoverAfter(span));
            refused("safetyCheck", () -> options.safetyCheck(span));
            var failing = TopicOptions.builder().attempts(1).timeout(span).build();
            var begun = new CountDownLatch(1);
            var gate = new CountDownLatch(1);
            var timers = Timers.create(
                    signalbox,
                    options.name("with-" + span)
                            .drainTimeout(span)
                            .router(TimerRouter.builder()
                                    .blockingHandler(NOTES, failing, (note, timer) -> {
                                        if (note.equals("bad")) throw new IOException("broken on purpose");
                                        begun.countDown();
                                        gate.await();
                                    })
                                    .build())
                            .build());
            // Neither its time limit nor the drain's is over at once.
            timers.schedule(NOTES, "slow", "x", Duration.ZERO);
            var worker = timers.start();
            begun.await();
            var closing = CompletableFuture.runAsync(worker::close);
            gate.countDown();
            closing.get();
            assertEquals(0, timers.count(NOTES));
            assertTrue(timers.deadTimers(TimerQuery.all()).timers().isEmpty());
        }
        // What can be a date is one.
        var span = Duration.ofNanos(Long.MAX_VALUE);
        var slow = TopicOptions.builder().backoff(span).maxBackoff(span).build();
        var options = TimersOptions.builder().deadTimersFor(span);
        var timers = Timers.create(
                signalbox,
                options.router(TimerRouter.builder()
                                .blockingHandler(NOTES, slow, (note, timer) -> {
                                    throw new IOException("broken on purpose");
                                })
                                .build())
                        .build());
        timers.schedule(NOTES, "a", "x", Duration.ZERO);
        assertEquals(1, timers.handleReady().retried());
        timers.schedule(NOTES, "b", "x", span);
        timers.schedule(NOTES, NewTimer.after("c", "x", span));
        timers.scheduleAll(NOTES, List.of(NewTimer.after("d", "x", span)));
        assertEquals(0, timers.handleReady().total());
        var year2200 = Instant.parse("2200-01-01T00:00:00Z");
        assertEquals(
                4, timers.list(NOTES, TimerQuery.all().from(year2200)).timers().size());
        // And what cannot is refused.
        var longest = Duration.ofSeconds(Long.MAX_VALUE);
        refused("after", () -> timers.schedule(NOTES, "e", "x", longest));
        refused("after", () -> timers.schedule(NOTES, NewTimer.after("e", "x", longest)));
        refused("after", () -> timers.scheduleAll(NOTES, List.of(NewTimer.after("e", "x", longest))));
        refused("after", () -> timers.requeue("notes", "e", longest));
        refused("deadTimersFor", () -> options.deadTimersFor(longest));
        refused("backoff", () -> TopicOptions.builder().backoff(longest));
        refused("maxBackoff", () -> TopicOptions.builder().maxBackoff(longest));
    }

    @Test
    void placesOfTwoHandlersAreTheUsers() {
        var builder = TimerRouter.builder()
                .blockingHandler(NOTES, (note, timer) -> {})
                .handler(NOTES, (note, timer) -> CompletableFuture.completedFuture(null));
        var text = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
        assertEquals(2, text.split("TimersTest.java:", -1).length - 1, text);
    }

    @Test
    void closingFromInsideOfAHandlerReturnsAtOnce() throws Exception {
        var closed = new CountDownLatch(1);
        var worker = new CompletableFuture<TimerWorker>();
        var timers = timers(TimerRouter.builder()
                .blockingHandler(NOTES, (note, timer) -> {
                    worker.get().close();
                    signalbox.close();
                    closed.countDown();
                })
                .build());
        timers.schedule(NOTES, "a", "x", Duration.ZERO);
        worker.complete(timers.start());
        closed.await();
        worker.get().ended().handle((nothing, failure) -> null).get();
    }
}
