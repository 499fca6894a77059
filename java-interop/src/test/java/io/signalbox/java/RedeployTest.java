package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.testkit.RedisServer;
import java.io.File;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An application is taken out of a container whose threads live on: once its client is closed, no thread is left that came with it, and its
 * classes go. What the driver's Netty keeps for a thread that has used it stays until that thread ends, with and without this library: both
 * tenants tell it to forget that, and a client of the driver alone is held to the same.
 */
class RedeployTest {
    /** Started here: what watches over its process is nobody's of the application. */
    private static final String URI = RedisServer.shared().getUri();

    private static final String NETTY_RECORDS = "io.netty.jfr.enabled";

    /** The driver's threads end two seconds after the last client, and those of its Netty some seconds later. */
    private static final Duration UNLOADING = Duration.ofSeconds(60);

    @ParameterizedTest
    @ValueSource(strings = {"lettuce", "signalbox"})
    void noThreadIsLeftOfAnApplicationThatHasClosedItsClient(String tenant) throws Exception {
        ExecutorService container = Executors.newSingleThreadExecutor();
        try {
            ClassLoader loader = container.submit(() -> deploy(tenant)).get();
            long end = System.nanoTime() + 60_000_000_000L;
            while (!threadsOf(loader).isEmpty() && System.nanoTime() < end) Thread.onSpinWait();
            assertEquals(List.of(), threadsOf(loader));
        } finally {
            container.shutdown();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"lettuce", "signalbox"})
    void theClassesOfAnApplicationThatHasClosedItsClientAreUnloaded(String tenant) throws Exception {
        // Of Netty 4.2, with and without this library: it has the JVM's flight recorder keep a listener of its own, for
        // ever.
        System.setProperty(NETTY_RECORDS, "false");
        ExecutorService container = Executors.newSingleThreadExecutor();
        try {
            var caller = container.submit(Thread::currentThread).get();
            var loader =
                    container.submit(() -> new WeakReference<>(deploy(tenant))).get();
            Waiting.until("nothing has the class loader any more", UNLOADING, () -> {
                System.gc();
                return loader.get() == null;
            });
            assertTrue(caller.isAlive());
        } finally {
            System.clearProperty(NETTY_RECORDS);
            container.shutdown();
        }
    }

    /** Those whose own class, task or context comes from the application. */
    private static List<Thread> threadsOf(ClassLoader loader) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(Thread::isAlive)
                .filter(it ->
                        it.getContextClassLoader() == loader || it.getClass().getClassLoader() == loader)
                .toList();
    }

    /** Runs it as a container does: with a loader for the application alone, which is also the thread's for the time. */
    private static ClassLoader deploy(String tenant) throws Exception {
        var loader = new URLClassLoader(classPath(), ClassLoader.getPlatformClassLoader());
        // As in production. With assertions kotlinx.coroutines keeps constructors of exceptions with classes of the
        // JDK, for ever.
        loader.setDefaultAssertionStatus(false);
        var thread = Thread.currentThread();
        var before = thread.getContextClassLoader();
        thread.setContextClassLoader(loader);
        try {
            loader.loadClass(Tenant.class.getName())
                    .getMethod(tenant, String.class)
                    .invoke(null, URI);
            return loader;
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    private static URL[] classPath() throws MalformedURLException {
        var urls = new ArrayList<URL>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator))
            urls.add(new File(entry).toURI().toURL());
        return urls.toArray(URL[]::new);
    }
}
