package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCredentialsProvider;
import io.lettuce.core.cluster.RedisClusterClient;
import io.signalbox.OnMismatch;
import io.signalbox.java.quorum.InMemoryMasters;
import io.signalbox.java.quorum.MasterErrors;
import io.signalbox.java.quorum.QuorumOptions;
import io.signalbox.java.quorum.SignalboxQuorum;
import io.signalbox.java.timers.BlockingTimerHandler;
import io.signalbox.java.timers.FiredTimer;
import io.signalbox.java.timers.Jackson3Codec;
import io.signalbox.java.timers.Misfire;
import io.signalbox.java.timers.NewTimer;
import io.signalbox.java.timers.Recurrence;
import io.signalbox.java.timers.TimerCodec;
import io.signalbox.java.timers.TimerHandler;
import io.signalbox.java.timers.TimerInterceptor;
import io.signalbox.java.timers.TimerListener;
import io.signalbox.java.timers.TimerQuery;
import io.signalbox.java.timers.TimerRouter;
import io.signalbox.java.timers.Timers;
import io.signalbox.java.timers.TimersOptions;
import io.signalbox.java.timers.Topic;
import io.signalbox.java.timers.TopicOptions;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.TypeVariable;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** Whatever is null and must not be is refused before anything happens, by its name and that of the method that was called. */
class NullsTest {
    private static final Topic<String> TOPIC = Topic.of("words", TimerCodec.text());

    /** One of each kind of argument. */
    private final Map<Class<?>, Object> samples = new HashMap<>();

    /** What has methods. */
    private final List<Object> subjects = new ArrayList<>();

    private <T> void sample(Class<T> type, T value) {
        samples.put(type, value);
    }

    private void collect(Signalbox signalbox) throws Exception {
        var semaphore = signalbox.semaphore("api", 9);
        var mutex = signalbox.mutex("report");
        var event = signalbox.event("done");
        var permit = semaphore.acquire();
        var timers =
                Timers.create(signalbox, TimersOptions.builder().declare(TOPIC).build());
        TimerInterceptor interceptor = (timer, proceed) -> proceed.get();
        TimerHandler<Object> handler = (payload, timer) -> CompletableFuture.completedFuture(null);
        BlockingTimerHandler<Object> blockingHandler = (payload, timer) -> {};
        sample(String.class, "x");
        sample(Duration.class, Duration.ofSeconds(1));
        sample(Instant.class, Instant.EPOCH);
        sample(ZoneId.class, ZoneOffset.UTC);
        sample(Object.class, "payload");
        sample(Class.class, String.class);
        sample(Collection.class, List.of());
        sample(Map.class, Map.of());
        sample(Runnable.class, () -> {});
        sample(Executor.class, Runnable::run);
        sample(Callable.class, () -> null);
        sample(Supplier.class, () -> null);
        sample(Function.class, it -> null);
        sample(PermitCallable.class, it -> null);
        sample(Mutexes.PermitsCallable.class, it -> null);
        sample(Work.class, () -> null);
        sample(Action.class, () -> {});
        sample(PermitAction.class, it -> {});
        sample(AcquireOptions.class, AcquireOptions.defaults());
        sample(OnMismatch.class, OnMismatch.FAIL);
        sample(ConnectionOptions.class, ConnectionOptions.builder().build());
        sample(Durability.class, Durability.replicated(1, Duration.ofSeconds(1)));
        sample(Signalbox.class, signalbox);
        sample(Consumer.class, it -> {});
        sample(Path.class, Path.of("x"));
        sample(RedisCredentialsProvider.class, () -> Mono.empty());
        sample(SignalboxListener.class, new SignalboxListener() {});
        sample(SignalboxOptions.class, SignalboxOptions.defaults());
        sample(SemaphoreOptions.class, SemaphoreOptions.defaults());
        sample(MutexOptions.class, MutexOptions.defaults());
        sample(EventOptions.class, EventOptions.defaults());
        sample(InMemoryStore.class, InMemoryStore.create());
        sample(AfterDataLoss.class, AfterDataLoss.QUARANTINE);
        sample(InitStrategy.class, InitStrategy.LUA);
        var masters = InMemoryMasters.create();
        var quorum = SignalboxQuorum.inMemory(masters);
        sample(List.class, List.of("redis://a", "redis://b", "redis://c"));
        sample(QuorumOptions.class, QuorumOptions.defaults());
        sample(InMemoryMasters.class, masters);
        sample(MasterErrors.class, MasterErrors.IGNORE);
        subjects.addAll(List.of(
                quorum,
                quorum.async(),
                quorum.semaphore("api", 9),
                quorum.semaphore("api", 9).async(),
                quorum.mutex("report"),
                quorum.mutex("report").async(),
                QuorumOptions.builder()));
        sample(Signalbox.class, signalbox);
        sample(RedisClusterClient.class, RedisClusterClient.create("redis://127.0.0.1:1"));
        sample(Consumer.class, it -> {});
        sample(Path.class, Path.of("x"));
        sample(RedisCredentialsProvider.class, () -> Mono.empty());
        sample(Semaphore.class, semaphore);
        sample(Topic.class, TOPIC);
        sample(NewTimer.class, NewTimer.after("id", "payload", Duration.ZERO));
        sample(TimerQuery.class, TimerQuery.all());
        sample(TimersOptions.class, TimersOptions.builder().build());
        sample(TopicOptions.class, TopicOptions.defaults());
        sample(Recurrence.class, Recurrence.fixedDelay(Duration.ofSeconds(1)));
        sample(Misfire.class, Misfire.CATCH_UP);
        sample(TimerRouter.class, TimerRouter.builder().build());
        sample(TimerCodec.class, TimerCodec.text());
        sample(TimerHandler.class, handler);
        sample(BlockingTimerHandler.class, blockingHandler);
        sample(TimerInterceptor.class, interceptor);
        sample(TimerListener.class, it -> {});
        sample(ObjectMapper.class, new ObjectMapper());
        sample(TypeReference.class, new TypeReference<String>() {});
        subjects.addAll(List.of(
                signalbox,
                signalbox.async(),
                semaphore,
                semaphore.async(),
                mutex,
                mutex.async(),
                event,
                event.async(),
                permit,
                permit.async(),
                timers,
                timers.async(),
                NewTimer.after("id", "payload", Duration.ZERO),
                TimerQuery.all(),
                samples.get(Recurrence.class),
                TimerRouter.builder(),
                SignalboxOptions.builder(),
                SemaphoreOptions.builder(),
                MutexOptions.builder(),
                EventOptions.builder(),
                TimersOptions.builder(),
                TopicOptions.builder()));
    }

    @Test
    void everyParameterOfEveryMethodIsNamedWithItsMethod() throws Exception {
        var driver = RedisClient.create();
        var clusterDriver = RedisClusterClient.create("redis://127.0.0.1:1");
        try (var signalbox = Signalbox.inMemory()) {
            sample(RedisClient.class, driver);
            sample(RedisClusterClient.class, clusterDriver);
            collect(signalbox);
            var holes = new TreeSet<String>();
            int tried = 0;
            for (var type : SignaturesTest.publicClasses()) {
                for (var method : type.getMethods()) {
                    // What is inherited is tried where it is declared.
                    if (method.getDeclaringClass() != type || method.isSynthetic() || isMadeByUsers(type)) continue;
                    if (Modifier.isStatic(method.getModifiers())) {
                        tried += tryAll(type, method, null, holes);
                    } else {
                        for (var subject : subjects) {
                            if (type.isInstance(subject)) tried += tryAll(type, method, subject, holes);
                        }
                    }
                }
            }
            for (var type : List.of(Topic.class, FiredTimer.class))
                tried += tryAll(type, type.getConstructors()[0], null, holes);
            assertEquals(new TreeSet<String>(), holes);
            assertTrue(tried > 250, "Only " + tried + " were tried.");
        } finally {
            driver.shutdown();
            clusterDriver.shutdown();
        }
    }

    /** What the library calls, and whoever wrote it is called by. */
    private static boolean isMadeByUsers(Class<?> type) {
        return type.isAnnotationPresent(FunctionalInterface.class)
                || TimerCodec.class.isAssignableFrom(type) && !Modifier.isFinal(type.getModifiers())
                || type == SignalboxListener.class
                // The same as JacksonCodec, for a library whose classes are not all here.
                || type == Jackson3Codec.class
                || type.isEnum();
    }

    /** Returns how many nulls were tried. */
    private int tryAll(Class<?> owner, Executable method, @Nullable Object subject, TreeSet<String> holes)
            throws Exception {
        var parameters = method.getParameters();
        int tried = 0;
        for (int missing = 0; missing < parameters.length; missing++) {
            var parameter = parameters[missing];
            if (parameter.getType().isPrimitive() || method.getName().equals("equals")) continue;
            if (parameter.getAnnotatedType().isAnnotationPresent(Nullable.class)) continue;
            // What work may result in.
            if (parameter.getParameterizedType() instanceof TypeVariable<?> variable
                    && variable.getAnnotatedBounds()[0].isAnnotationPresent(Nullable.class)) continue;
            var arguments = new @Nullable Object[parameters.length];
            for (int i = 0; i < parameters.length; i++)
                if (i != missing) arguments[i] = argument(parameters[i].getType(), method);
            var name = owner.getName()
                    .substring(owner.getPackageName().length() + 1)
                    .replace('$', '.');
            // What it makes is a record, which says so itself.
            if (owner == Topic.class && method.getName().equals("of")) name = "Topic";
            var call = method instanceof Method && !name.equals("Topic") ? name + "." + method.getName() : name;
            var expected = call + ": " + parameter.getName() + " must not be null.";
            tried++;
            String found;
            try {
                if (method instanceof Method it) it.invoke(subject, arguments);
                else ((java.lang.reflect.Constructor<?>) method).newInstance(arguments);
                found = "nothing";
            } catch (InvocationTargetException thrown) {
                found = thrown.getCause() instanceof NullPointerException refused
                        ? refused.getMessage()
                        : thrown.getCause().toString();
            }
            // Permits are both, and say which.
            if (owner == Grant.class)
                expected = expected.replace("Grant", subject instanceof Permit ? "Permit" : "AsyncPermit");
            if (!expected.equals(found)) holes.add(expected + " But: " + found);
        }
        return tried;
    }

    private Object argument(Class<?> type, Executable method) {
        if (type == int.class) return 1;
        if (type == long.class) return 1L;
        if (type == double.class) return 1.0;
        if (type == boolean.class) return true;
        var sample = samples.get(type);
        if (sample == null) throw new AssertionError("There is no sample of " + type + " for " + method);
        return sample;
    }

    @Test
    void whatIsInCollectionsIsNamedToo() throws Exception {
        try (var signalbox = Signalbox.inMemory()) {
            var timers = Timers.create(
                    signalbox, TimersOptions.builder().declare(TOPIC).build());
            var some = Arrays.asList(NewTimer.after("id", "payload", Duration.ZERO), null);
            refused(
                    "Timers.scheduleAll: an element of timers must not be null.",
                    () -> timers.scheduleAll(TOPIC, some));
            refused(
                    "AsyncTimers.scheduleAll: an element of timers must not be null.",
                    () -> timers.async().scheduleAll(TOPIC, some));
            assertEquals(0, timers.count(TOPIC));
            refused(
                    "Signalbox.statistics: an element of names must not be null.",
                    () -> signalbox.statistics(Arrays.asList("a", null), 1));
            refused(
                    "Mutexes.withLocks: an element of mutexes must not be null.",
                    () -> Mutexes.withLocks(Arrays.asList(signalbox.mutex("a"), null), () -> "never"));
            refused(
                    "NewTimer.metadata: the value of 'a' in metadata must not be null.",
                    () -> NewTimer.after("id", "payload", Duration.ZERO).metadata(Collections.singletonMap("a", null)));
            refused(
                    "NewTimer.metadata: a key of metadata must not be null.",
                    () -> NewTimer.after("id", "payload", Duration.ZERO).metadata(Collections.singletonMap(null, "a")));
        }
    }

    @Test
    void whatUsersReturnIsNamedByWhoseItIs() throws Exception {
        try (var signalbox = Signalbox.inMemory()) {
            TimerCodec<String> codec = new TimerCodec<>() {
                @Override
                @SuppressWarnings("NullAway")
                public byte[] encode(String payload) {
                    return null;
                }

                @Override
                public String decode(byte[] bytes) {
                    return "";
                }
            };
            var topic = Topic.of("odd", codec);
            var timers = Timers.create(
                    signalbox, TimersOptions.builder().declare(topic).build());
            var refusal = assertThrows(Exception.class, () -> timers.schedule(topic, "id", "payload", Duration.ZERO));
            assertTrue(
                    chain(refusal).contains("The codec of topic 'odd' returned null instead of bytes."),
                    chain(refusal));
        }
    }

    private static String chain(@Nullable Throwable problem) {
        var said = new StringBuilder();
        for (var cause = problem; cause != null; cause = cause.getCause())
            said.append(cause.getMessage()).append('\n');
        return said.toString();
    }

    private static void refused(String text, org.junit.jupiter.api.function.Executable call) {
        assertEquals(
                text,
                assertInstanceOf(NullPointerException.class, assertThrows(Exception.class, call))
                        .getMessage());
    }
}
