package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import io.signalbox.testkit.RedisServer;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is left of names that are used once: nothing, as long as nobody has what was made for them. */
class NamesTest {
    private static final int NAMES = 10;

    @Test
    void whatWasMadeForANameIsForgottenWhenNobodyHasIt() throws Exception {
        var options = SignalboxOptions.builder()
                .lease(Duration.ofSeconds(1))
                .retention(Duration.ofSeconds(1))
                .build();
        try (var server = RedisServer.start();
                var signalbox = Signalbox.connect(server.getUri(), options)) {
            var kept = signalbox.semaphore("kept", 1);
            var made = new ArrayList<WeakReference<Object>>();
            for (int i = 0; i < NAMES; i++) made.addAll(useOnce(signalbox, "once-" + i));
            Waiting.until("nothing is left", Duration.ofSeconds(60), () -> {
                System.gc();
                return made.stream().allMatch(it -> it.get() == null)
                        && server.command("KEYS", "*{once-*").isBlank();
            });
            assertSame(kept, signalbox.semaphore("kept", 1));
            assertSame(kept.async(), signalbox.async().semaphore("kept", 1).get());
            assertEquals(1, kept.permits());
        }
    }

    private static List<WeakReference<Object>> useOnce(Signalbox signalbox, String name) throws Exception {
        var semaphore = signalbox.semaphore(name, 1);
        semaphore.acquire().release();
        var pool = signalbox.semaphore(
                name + "-pool",
                1,
                SemaphoreOptions.builder().pool(InitStrategy.SETNX).build());
        pool.acquire().release();
        var mutex = signalbox.mutex(name);
        mutex.withLock(() -> "done");
        var event = signalbox.async().event(name).get();
        event.set().get();
        event.await().get();
        var made = new ArrayList<WeakReference<Object>>();
        for (var each : List.of(semaphore, semaphore.async(), pool, mutex, event, event.blocking()))
            made.add(new WeakReference<>(each));
        return made;
    }
}
