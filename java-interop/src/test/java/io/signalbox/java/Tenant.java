package io.signalbox.java;

import io.lettuce.core.RedisClient;
import io.netty.util.concurrent.FastThreadLocal;
import io.signalbox.java.timers.TimerCodec;
import io.signalbox.java.timers.TimerRouter;
import io.signalbox.java.timers.Timers;
import io.signalbox.java.timers.TimersOptions;
import io.signalbox.java.timers.Topic;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;

/** What an application in a container does with a client between its deployment and its end; loaded by a loader of its own. */
public final class Tenant {
    private Tenant() {}

    public static void lettuce(String uri) {
        var client = RedisClient.create(uri);
        client.connect().sync().ping();
        client.shutdown();
        FastThreadLocal.removeAll();
    }

    public static void signalbox(String uri) throws Exception {
        // Threads of the common pool outlive it by a minute, with what the driver's Netty keeps for them.
        var callbacks = Executors.newFixedThreadPool(2);
        var options = SignalboxOptions.builder().callbackExecutor(callbacks).build();
        try (var signalbox = Signalbox.connect(uri, options)) {
            var mutex = signalbox.mutex("tenant");
            mutex.withLock(permit -> mutex.tryLock(Duration.ofMillis(100)).isPresent());
            signalbox.event("tenant").set();
            signalbox.event("tenant").await();
            var topic = Topic.of("tenant", TimerCodec.text());
            var handled = new CountDownLatch(1);
            var router = TimerRouter.builder()
                    .blockingHandler(topic, (payload, timer) -> handled.countDown())
                    .build();
            var timers = Timers.create(
                    signalbox,
                    TimersOptions.builder().name("tenant").router(router).build());
            var worker = timers.start();
            try {
                timers.schedule(topic, "id", "payload", Duration.ZERO);
                handled.await();
            } finally {
                worker.close();
            }
            signalbox.async().semaphore("tenant", 1).get();
            try (var permit = signalbox.semaphore("tenant", 1).acquire()) {
                permit.onLost(() -> {});
                signalbox.semaphore("tenant", 1).tryAcquire(Duration.ofMillis(50));
            }
        }
        callbacks.shutdown();
        // What the driver keeps for a thread that has used it is the driver's, and is there without us as well.
        FastThreadLocal.removeAll();
    }
}
