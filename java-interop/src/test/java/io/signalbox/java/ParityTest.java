package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every public function and property of the Kotlin API has a counterpart here, by name, or an entry in the registry: what it is called here, or
 * why there is none. An entry that is not needed any more fails.
 */
class ParityTest {
    /** Kotlin name to Java name, where they differ. Suspending functions are looked for in both views. */
    private static final Map<String, String> RENAMED = new TreeMap<>(Map.ofEntries(
            Map.entry("quorum.QuorumMutexKt.withLock", "quorum.QuorumMutex.withLock"),
            Map.entry("quorum.QuorumMutexSettings.lockTimeout", "quorum.SignalboxQuorum.mutex"),
            Map.entry("quorum.QuorumSemaphoreKt.withPermit", "quorum.QuorumSemaphore.withPermit"),
            Map.entry("quorum.QuorumSemaphoreSettings.acquireTimeout", "quorum.SignalboxQuorum.semaphore"),
            Map.entry("quorum.QuorumSettings.label", "quorum.QuorumOptions.label"),
            Map.entry("quorum.QuorumSettings.lease", "quorum.QuorumOptions.lease"),
            Map.entry("quorum.QuorumSettings.longestLease", "quorum.QuorumOptions.longestLease"),
            Map.entry("quorum.QuorumSettings.namespace", "quorum.QuorumOptions.namespace"),
            Map.entry("quorum.QuorumSettings.onMasterError", "quorum.QuorumOptions.onMasterError"),
            Map.entry("quorum.QuorumSettings.storeTimeout", "quorum.QuorumOptions.storeTimeout"),
            Map.entry("quorum.SignalboxQuorum.closeAndJoin", "quorum.AsyncSignalboxQuorum.closeAsync"),
            Map.entry("quorum.SignalboxQuorumKt.connectQuorum", "quorum.SignalboxQuorum.connect"),
            Map.entry("quorum.SignalboxQuorumKt.inMemoryQuorum", "quorum.SignalboxQuorum.inMemory"),
            Map.entry("timers.TimerRouterBuilder.include", "timers.TimerRouter.Builder.include"),
            Map.entry("timers.TimerRouterBuilder.on", "timers.TimerRouter.Builder.handler"),
            Map.entry("timers.TimerRouterKt.timerRouter", "timers.TimerRouter.builder"),
            Map.entry("timers.TimerScope.attempt", "timers.FiredTimer.attempt"),
            Map.entry("timers.TimerScope.due", "timers.FiredTimer.due"),
            Map.entry("timers.TimerScope.fencingToken", "timers.FiredTimer.fencingToken"),
            Map.entry("timers.TimerScope.id", "timers.FiredTimer.id"),
            Map.entry("timers.TimerScope.topic", "timers.FiredTimer.topic"),
            Map.entry("timers.Timers.run", "timers.Timers.start"),
            Map.entry("timers.TimersKt.Timers", "timers.Timers.create"),
            Map.entry("timers.TimersSettings.concurrency", "timers.TimersOptions.concurrency"),
            Map.entry("timers.TimersSettings.declare", "timers.TimersOptions.Builder.declare"),
            Map.entry("timers.TimersSettings.drainTimeout", "timers.TimersOptions.drainTimeout"),
            Map.entry("timers.TimersSettings.fromEnvironment", "timers.TimersOptions.Builder.environment"),
            Map.entry("timers.TimersSettings.include", "timers.TimersOptions.Builder.router"),
            Map.entry("timers.TimersSettings.listener", "timers.TimersOptions.listener"),
            Map.entry("timers.TimersSettings.maxPayloadBytes", "timers.TimersOptions.maxPayloadBytes"),
            Map.entry("timers.TimersSettings.name", "timers.TimersOptions.name"),
            Map.entry("timers.TimersSettings.on", "timers.TimerRouter.Builder.handler"),
            Map.entry("timers.TimerMetadata.entries", "timers.NewTimer.metadata"),
            Map.entry("timers.TimerScope.metadata", "timers.FiredTimer.metadata"),
            Map.entry("timers.TimersSettings.deadTimersFor", "timers.TimersOptions.deadTimersFor"),
            Map.entry("timers.TimersSettings.deadTimersPerTopic", "timers.TimersOptions.deadTimersPerTopic"),
            Map.entry("timers.TimersSettings.intercept", "timers.TimersOptions.Builder.interceptor"),
            Map.entry("timers.TopicKt.rawTopic", "timers.TimerCodec.bytes"),
            Map.entry("timers.TimersSettings.payloadsKey", "timers.TimersOptions.payloadsKey"),
            Map.entry("timers.TimersSettings.previousShards", "timers.TimersOptions.previousShards"),
            Map.entry("timers.TimersSettings.safetyCheck", "timers.TimersOptions.safetyCheck"),
            Map.entry("timers.TimersSettings.shards", "timers.TimersOptions.shards"),
            Map.entry("timers.TimersSettings.takeoverAfter", "timers.TimersOptions.takeoverAfter"),
            Map.entry("timers.TimersSettings.timelineKey", "timers.TimersOptions.timelineKey"),
            Map.entry("timers.TopicKt.topic", "timers.Topic.of"),
            Map.entry("timers.TopicSettings.attempts", "timers.TopicOptions.attempts"),
            Map.entry("timers.TopicSettings.backoff", "timers.TopicOptions.backoff"),
            Map.entry("timers.TopicSettings.backoffFactor", "timers.TopicOptions.backoffFactor"),
            Map.entry("timers.TopicSettings.backoffJitter", "timers.TopicOptions.backoffJitter"),
            Map.entry("timers.TopicSettings.concurrency", "timers.TopicOptions.concurrency"),
            Map.entry("timers.TopicSettings.maxBackoff", "timers.TopicOptions.maxBackoff"),
            Map.entry("timers.TopicSettings.semaphore", "timers.TopicOptions.semaphore"),
            Map.entry("timers.TopicSettings.timeout", "timers.TopicOptions.timeout"),
            Map.entry("Signalbox.closeAndJoin", "AsyncSignalbox.closeAsync"),
            Map.entry("Signalbox.invoke", "Signalbox.connect"),
            Map.entry("ConnectionSettings.trustedCertificates", "ConnectionOptions.trustedCertificates"),
            Map.entry("ConnectionSettings.clientCertificate", "ConnectionOptions.clientCertificate"),
            Map.entry("ConnectionSettings.clientKey", "ConnectionOptions.clientKey"),
            Map.entry("ConnectionSettings.clientKeyPassword", "ConnectionOptions.clientKeyPassword"),
            Map.entry("ConnectionSettings.verifyHostName", "ConnectionOptions.verifyHostName"),
            Map.entry("ConnectionSettings.credentials", "ConnectionOptions.credentials"),
            Map.entry("ConnectionSettings.options", "ConnectionOptions.options"),
            Map.entry("SignalboxSettings.connection", "SignalboxOptions.connection"),
            Map.entry("SignalboxSettings.durability", "SignalboxOptions.durability"),
            Map.entry("SemaphoreKt.withPermit", "Semaphore.withPermit"),
            Map.entry("SemaphoreKt.tryWithPermit", "Semaphore.tryWithPermit"),
            Map.entry("LocksKt.withLocks", "Mutexes.withLocks"),
            Map.entry("MutexKt.tryWithLock", "Mutex.tryWithLock"),
            Map.entry("AttemptKt.orElse", "Attempt.orElseGet"),
            Map.entry("Attempt.Ran.result", "Attempt.result"),
            Map.entry("SemaphoreSettings.onMismatch", "SemaphoreOptions.onMismatch"),
            Map.entry("SemaphoreSettings.maxWaiters", "SemaphoreOptions.maxWaiters"),
            Map.entry("MutexSettings.maxWaiters", "MutexOptions.maxWaiters"),
            Map.entry("EventSettings.maxWaiters", "EventOptions.maxWaiters"),
            Map.entry("SignalboxSettings.maxWaiters", "SignalboxOptions.maxWaiters"),
            Map.entry("MutexKt.withLock", "Mutex.withLock"),
            Map.entry("PermitKt.use", "Permit.close"),
            Map.entry("SemaphoreSettings.maxHold", "SemaphoreOptions.maxHold"),
            Map.entry("SemaphoreSettings.acquireTimeout", "SemaphoreOptions.acquireTimeout"),
            Map.entry("SemaphoreSettings.bounded", "SemaphoreOptions.bounded"),
            Map.entry("SemaphoreSettings.afterDataLoss", "SemaphoreOptions.afterDataLoss"),
            Map.entry("SemaphoreSettings.longestLease", "SemaphoreOptions.longestLease"),
            Map.entry("SemaphoreSettings.algorithm", "SemaphoreOptions.pool"),
            Map.entry("MutexSettings.maxHold", "MutexOptions.maxHold"),
            Map.entry("MutexSettings.lockTimeout", "MutexOptions.lockTimeout"),
            Map.entry("MutexSettings.afterDataLoss", "MutexOptions.afterDataLoss"),
            Map.entry("MutexSettings.longestLease", "MutexOptions.longestLease"),
            Map.entry("EventSettings.signalTtl", "EventOptions.signalTtl"),
            Map.entry("EventSettings.maxSignals", "EventOptions.maxSignals"),
            Map.entry("SignalboxSettings.namespace", "SignalboxOptions.namespace"),
            Map.entry("SignalboxSettings.label", "SignalboxOptions.label"),
            Map.entry("SignalboxSettings.lease", "SignalboxOptions.lease"),
            Map.entry("SignalboxSettings.retention", "SignalboxOptions.retention"),
            Map.entry("SignalboxSettings.storeTimeout", "SignalboxOptions.storeTimeout"),
            Map.entry("SignalboxSettings.holdWarning", "SignalboxOptions.holdWarning"),
            Map.entry("SignalboxSettings.announceInScript", "SignalboxOptions.announceInScript")));

    /** What has no counterpart, and why. A class stands for all of its members. */
    private static final Map<String, String> LEFT_OUT = new TreeMap<>(Map.ofEntries(
            Map.entry("quorum.MasterErrors.entries", "Java has values()."),
            Map.entry("timers.DeadTimer.Kind.entries", "Java has values()."),
            Map.entry("timers.Misfire.entries", "Java has values()."),
            Map.entry("timers.Timer.State.entries", "Java has values()."),
            Map.entry("timers.TimerScope.context", "A handler in Java closes over what it needs."),
            Map.entry(
                    "timers.TimersSettings.safetyCheckJitter",
                    "The variation by a fifth suits everybody who has asked so far."),
            Map.entry("timers.TopicKt.timerJson", "Java payloads are not stored by kotlinx-serialization."),
            Map.entry("InMemoryStore.micros", "Plumbing of the library's own modules."),
            Map.entry("InMemoryStore.part", "Plumbing of the library's own modules."),
            Map.entry("timers.Recurrence.Cron", "Internal in Kotlin, which class files do not show."),
            Map.entry("timers.Recurrence.FixedDelay", "Internal in Kotlin, which class files do not show."),
            Map.entry("timers.Recurrence.FixedRate", "Internal in Kotlin, which class files do not show."),
            Map.entry("timers.Recurrence.Limited", "Internal in Kotlin, which class files do not show."),
            Map.entry("timers.TimerInterceptor", "timers.TimerInterceptor has stages where Kotlin's suspends."),
            Map.entry("timers.Route", "Internal in Kotlin, which class files do not show."),
            Map.entry("InitStrategy.entries", "Java has values()."),
            Map.entry("SemaphoreAlgorithm.Pool", "SemaphoreOptions.Builder.pool takes its one property."),
            Map.entry("AfterDataLoss.entries", "Java has values()."),
            Map.entry("Observation.Kind.entries", "Java has values()."),
            Map.entry("Observation.Refusal.entries", "Java has values()."),
            Map.entry("ConnectionState.entries", "Java has values()."),
            Map.entry("LossReason.entries", "Java has values()."),
            Map.entry("OnMismatch.entries", "Java has values()."),
            Map.entry("DeletedException", "Java programs meet the exception itself."),
            Map.entry(
                    "MutexKt.withReentrantLock",
                    "Threads have Mutex.asLock, and futures nothing that could be recognised."),
            Map.entry("TooManyWaitersException", "Java programs meet the exception itself."),
            Map.entry("AcquireTimeoutException", "Java programs meet the exception itself."),
            Map.entry("PermitsMismatchException", "Java programs meet the exception itself."),
            Map.entry("SemaphoreNotFoundException", "Java programs meet the exception itself."),
            Map.entry("UnknownFormatException", "Java programs meet the exception itself."),
            Map.entry("LeaseLostException", "Java programs meet the exception itself."),
            Map.entry("EventTimeoutException", "Java programs meet the exception itself."),
            Map.entry("EventFullException", "Java programs meet the exception itself.")));

    /** The packages of the Kotlin API, each with a class that shows where it is. */
    private static final Map<String, Class<?>> PACKAGES = Map.of(
            "",
            io.signalbox.Signalbox.class,
            "quorum/",
            io.signalbox.quorum.SignalboxQuorum.class,
            "timers/",
            io.signalbox.timers.Timers.class);

    @Test
    void whateverKotlinHasJavaHas() throws Exception {
        var missing = new TreeSet<String>();
        var needed = new TreeSet<String>();
        for (var function : kotlinApi()) {
            var owner = function.owner();
            if (LEFT_OUT.containsKey(owner)) {
                needed.add(owner);
            } else if (LEFT_OUT.containsKey(function.name())) {
                needed.add(function.name());
            } else {
                var renamed = RENAMED.get(function.name());
                if (renamed != null) needed.add(function.name());
                for (var wanted : counterparts(function, renamed == null ? function.name() : renamed)) {
                    if (!exists(wanted)) missing.add(function.name() + " -> " + wanted);
                }
            }
        }
        assertEquals(new TreeSet<String>(), missing, "without counterpart");
        var stale = new TreeSet<>(RENAMED.keySet());
        stale.addAll(LEFT_OUT.keySet());
        stale.removeAll(needed);
        assertEquals(new TreeSet<String>(), stale, "entries of the registry that nothing needs");
    }

    @Test
    void theKotlinApiIsSeen() throws Exception {
        var names = new TreeSet<String>();
        for (var function : kotlinApi()) names.add(function.name());
        assertTrue(
                names.containsAll(List.of(
                        "Signalbox.semaphore",
                        "Semaphore.acquire",
                        "Permit.isLost",
                        "SemaphoreKt.withPermit",
                        "SignalboxSettings.lease",
                        "Observation.Granted.waited",
                        "SemaphoreSnapshot.Holder.age")),
                names.toString());
    }

    private record Function(String owner, String member, boolean suspending) {
        String name() {
            return owner + "." + member;
        }
    }

    private static List<String> counterparts(Function function, String wanted) {
        // Of the packages below this one.
        int dot = Character.isLowerCase(wanted.charAt(0)) ? wanted.indexOf('.') + 1 : 0;
        var simple = wanted.substring(dot);
        if (!function.suspending() || simple.startsWith("Async")) return List.of(wanted);
        return List.of(wanted, wanted.substring(0, dot) + "Async" + simple);
    }

    private static boolean exists(String wanted) {
        int dot = wanted.lastIndexOf('.');
        var name = wanted.substring(0, dot)
                .replace('.', '$')
                .replace("timers$", "timers.")
                .replace("quorum$", "quorum.");
        try {
            var type = Class.forName("io.signalbox.java." + name);
            return Stream.of(type.getMethods())
                    .anyMatch(method -> method.getName().equals(wanted.substring(dot + 1)));
        } catch (ClassNotFoundException absent) {
            return false;
        }
    }

    /** What the class files of the core show, without what is marked as plumbing. */
    private static List<Function> kotlinApi() throws Exception {
        var functions = new ArrayList<Function>();
        for (var file : classFiles()) {
            Class<?> type = Class.forName(
                    file.replace('/', '.').replace(".class", ""), false, ParityTest.class.getClassLoader());
            if (!Modifier.isPublic(type.getModifiers())
                    || type.isSynthetic()
                    || type.isAnonymousClass()
                    || type.isAnnotation()) continue;
            if (type.getSimpleName().equals("Companion") && type.getEnclosingClass() == null) continue;
            for (var method : type.getDeclaredMethods()) {
                if (!Modifier.isPublic(method.getModifiers()) || method.isSynthetic() || method.isBridge()) continue;
                if (List.of("toString", "equals", "hashCode", "values", "valueOf")
                        .contains(method.getName())) continue;
                var name = kotlinName(method);
                // Internal functions are public in class files, with the module in their names; a setter goes with its
                // property.
                if (name.contains("$") || name.isEmpty()) continue;
                functions.add(new Function(owner(type), name, suspending(method)));
            }
        }
        return functions;
    }

    private static String owner(Class<?> type) {
        var name = type.getName().substring("io.signalbox.".length()).replace('$', '.');
        return name.endsWith(".Companion") ? name.substring(0, name.length() - ".Companion".length()) : name;
    }

    private static boolean suspending(Method method) {
        var parameters = method.getParameterTypes();
        return parameters.length > 0
                && parameters[parameters.length - 1].getName().equals("kotlin.coroutines.Continuation");
    }

    /** Without the suffix of functions with value classes in their signature; properties by their own name. */
    private static String kotlinName(Method method) {
        var name = method.getName();
        if (name.contains("$")) return "";
        int suffix = name.indexOf('-');
        if (suffix >= 0) name = name.substring(0, suffix);
        if (name.startsWith("set") && name.length() > 3 && method.getReturnType() == void.class) return "";
        if (name.startsWith("get")
                && name.length() > 3
                && Character.isUpperCase(name.charAt(3))
                && !suspending(method)) {
            return Character.toLowerCase(name.charAt(3)) + name.substring(4);
        }
        return name;
    }

    private static List<String> classFiles() throws Exception {
        var names = new ArrayList<String>();
        for (var entry : PACKAGES.entrySet()) {
            var location = new File(entry.getValue()
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            var folder = "io/signalbox/" + entry.getKey();
            if (location.isFile()) {
                names.addAll(inJar(location, folder));
            } else {
                for (var file : new File(location, folder).list((parent, name) -> name.endsWith(".class")))
                    names.add(folder + file);
            }
        }
        return names;
    }

    private static List<String> inJar(File jar, String folder) throws IOException {
        try (var file = new JarFile(jar)) {
            return file.stream()
                    .map(java.util.zip.ZipEntry::getName)
                    .filter(name -> name.startsWith(folder)
                            && name.endsWith(".class")
                            && name.indexOf('/', folder.length()) < 0)
                    .toList();
        }
    }
}
