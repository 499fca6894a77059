package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Builders refuse what cannot be, by name and value. */
class OptionsTest {
    private static void refused(String text, Executable call) {
        assertEquals(text, assertThrows(IllegalArgumentException.class, call).getMessage());
    }

    @Test
    void valuesOutOfRangeAreNamed() {
        refused(
                "lease must be from 100ms to 1d, but was 99ms.",
                () -> SignalboxOptions.builder().lease(Duration.ofMillis(99)));
        refused(
                "retention must be from 1s to 365d, but was 366d.",
                () -> SignalboxOptions.builder().retention(Duration.ofDays(366)));
        refused(
                "storeTimeout must be from 10ms to 365d, but was -1ms.",
                () -> SignalboxOptions.builder().storeTimeout(Duration.ofMillis(-1)));
        refused(
                "maxHold must be from 1ms to 365d, but was 0s.",
                () -> SemaphoreOptions.builder().maxHold(Duration.ZERO));
        refused(
                "acquireTimeout must be 1ms or more, but was 0s. Leave it out for no limit.",
                () -> SemaphoreOptions.builder().acquireTimeout(Duration.ZERO));
        refused(
                "lockTimeout must be 1ms or more, but was -5s. Leave it out for no limit.",
                () -> MutexOptions.builder().lockTimeout(Duration.ofSeconds(-5)));
        refused(
                "maxSignals must be from 1 to 1000000, but was 0.",
                () -> EventOptions.builder().maxSignals(0));
        refused(
                "signalTtl must be from 1ms to 365d, but was PT0.000999S.",
                () -> EventOptions.builder().signalTtl(Duration.ofNanos(999_000)));
    }

    @Test
    void nullIsRefusedByNameBeforeAnythingHappens() throws Exception {
        assertEquals("maxHold", missing(() -> SemaphoreOptions.builder().maxHold(null)));
        assertEquals("lockTimeout", missing(() -> MutexOptions.builder().lockTimeout(null)));
        assertEquals("uri", missing(() -> Signalbox.connect((String) null)));
        try (var signalbox = Signalbox.inMemory()) {
            var semaphore = signalbox.semaphore("api", 1);
            assertEquals("work", missing(() -> semaphore.withPermit((Callable<String>) null)));
            assertEquals("work", missing(() -> semaphore.async().withPermit((Supplier<CompletionStage<String>>) null)));
            assertEquals("work", missing(() -> signalbox.mutex("report").withLock((Callable<String>) null)));
            assertEquals(0, semaphore.snapshot().grants());
        }
    }

    private static String missing(Executable call) {
        return assertThrows(NullPointerException.class, call).getMessage();
    }

    @Test
    void whatOnlyTheClientKnowsIsRefusedWhenItIsMade() {
        var options = SignalboxOptions.builder().namespace("a{b").build();
        var refusal =
                assertThrows(IllegalArgumentException.class, () -> Signalbox.connect("redis://localhost", options));
        assertTrue(refusal.getMessage().contains("a{b"), refusal.getMessage());
        assertThrows(IllegalArgumentException.class, () -> Signalbox.connect("nonsense"));
    }

    @Test
    void optionsSayWhatTheyAre() {
        var options = SemaphoreOptions.builder()
                .maxHold(Duration.ofSeconds(3))
                .bounded(false)
                .build();
        assertEquals(
                "SemaphoreOptions[maxHold=PT3S, acquireTimeout=null, bounded=false, afterDataLoss=GRANT_AT_ONCE, pool=null]",
                options.toString());
        assertEquals(Optional.of(Duration.ofSeconds(3)), options.maxHold());
        assertEquals(Optional.empty(), SemaphoreOptions.defaults().maxHold());
    }
}
