package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** Nobody who uses the package meets Kotlin. */
class SignaturesTest {
    /** All public classes of the package, nested ones too. */
    static List<Class<?>> publicClasses() throws Exception {
        var directory = new File(Signalbox.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        var classes = new ArrayList<Class<?>>();
        for (var folder : List.of("io/signalbox/java/", "io/signalbox/java/timers/", "io/signalbox/java/quorum/")) {
            for (var file : new File(directory, folder).list((parent, name) -> name.endsWith(".class"))) {
                var name = (folder + file).replace('/', '.').replace(".class", "");
                var type = Class.forName(name, false, SignaturesTest.class.getClassLoader());
                if (Modifier.isPublic(type.getModifiers()) && !type.isAnonymousClass()) classes.add(type);
            }
        }
        return classes;
    }

    @Test
    void noSignatureNamesATypeOfKotlinOrOfTheBridge() throws Exception {
        var offences = new TreeSet<String>();
        for (var type : publicClasses()) {
            check(type.toGenericString(), offences);
            if (type.getGenericSuperclass() != null)
                check(type.getGenericSuperclass().getTypeName(), offences);
            for (var parent : type.getGenericInterfaces()) check(parent.getTypeName(), offences);
            Stream.of(type.getDeclaredMethods())
                    .filter(method -> visible(method.getModifiers()))
                    .forEach(method -> {
                        check(method.toGenericString(), offences);
                    });
            Stream.of(type.getDeclaredConstructors())
                    .filter(constructor -> visible(constructor.getModifiers()))
                    .forEach(constructor -> check(constructor.toGenericString(), offences));
            Stream.of(type.getDeclaredFields())
                    .filter(field -> visible(field.getModifiers()))
                    .forEach(field -> check(field.toGenericString(), offences));
        }
        assertEquals(new TreeSet<String>(), offences);
    }

    private static boolean visible(int modifiers) {
        return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
    }

    private static void check(String signature, TreeSet<String> offences) {
        if (signature.contains("kotlin.")
                || signature.contains("kotlinx.")
                || signature.contains("io.signalbox.java.internal")) {
            offences.add(signature);
        }
    }

    @Test
    void thePackageIsNullMarkedAndHasNoPublicClassBesidesThoseMeant() throws Exception {
        assertTrue(Signalbox.class.getPackage().isAnnotationPresent(NullMarked.class));
        assertTrue(io.signalbox.java.timers.Timers.class.getPackage().isAnnotationPresent(NullMarked.class));
        var names = new TreeSet<String>();
        for (var type : publicClasses()) if (type.getEnclosingClass() == null) names.add(type.getSimpleName());
        assertTrue(names.containsAll(List.of("Signalbox", "AsyncSignalbox", "Semaphore", "Permit")), names.toString());
        assertTrue(!names.contains("Checks"), names.toString());
    }

    @Test
    void bothViewsHaveTheSameMethodsWithResultsThatCorrespond() throws Exception {
        for (var name : List.of(
                "Signalbox",
                "Semaphore",
                "Mutex",
                "Event",
                "Permit",
                "timers.Timers",
                "quorum.SignalboxQuorum",
                "quorum.QuorumSemaphore",
                "quorum.QuorumMutex")) {
            var blocking = Class.forName("io.signalbox.java." + name);
            int dot = name.indexOf('.') + 1;
            var async = Class.forName("io.signalbox.java." + name.substring(0, dot) + "Async" + name.substring(dot));
            assertEquals(calls(blocking, "async"), calls(async, "blocking"), name);
        }
    }

    /** Names and parameters, apart from the way to the other view, from static methods and from what an asynchronous close adds. */
    private static TreeSet<String> calls(Class<?> view, String other) {
        var calls = new TreeSet<String>();
        for (Method method : view.getMethods()) {
            if (Modifier.isStatic(method.getModifiers()) || method.getName().equals(other)) continue;
            if (method.getName().equals("closeAsync")) continue;
            // Work of a stage has a result or none by its type; and a lock is held by a thread.
            if (method.getName().startsWith("runWith") || method.getName().equals("asLock")) continue;
            if (method.getName().startsWith("with") || method.getName().startsWith("tryWith")) {
                // Work is a Callable or PermitCallable here, a Supplier or Function of a stage there.
                calls.add(method.getName() + "/" + method.getParameterCount());
            } else {
                calls.add(method.getName() + List.of(method.getParameterTypes()));
            }
        }
        return calls;
    }
}
