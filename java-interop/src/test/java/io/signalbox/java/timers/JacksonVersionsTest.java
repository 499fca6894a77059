package io.signalbox.java.timers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** The codecs on class paths that have one version of Jackson, the other, or none: the library brings neither. */
class JacksonVersionsTest {
    public record Order(String item, int count) {}

    /** Loaded anew on each class path, as a user's class is. */
    public static class ByJacksonCodec implements Callable<String> {
        @Override
        public String call() throws Exception {
            var codec = JacksonCodec.of(Order.class);
            return codec.getClass().getSimpleName() + " "
                    + codec.decode(codec.encode(new Order("x", 1))).item();
        }
    }

    /** The same, by name of the version. */
    public static class ByJackson3Codec implements Callable<String> {
        @Override
        public String call() throws Exception {
            var codec = Jackson3Codec.of(Order.class);
            return codec.getClass().getSimpleName() + " "
                    + codec.decode(codec.encode(new Order("x", 1))).item();
        }
    }

    private static final List<Class<?>> JACKSON_2 =
            List.of(com.fasterxml.jackson.databind.ObjectMapper.class, com.fasterxml.jackson.core.JsonFactory.class);
    private static final List<Class<?>> JACKSON_3 =
            List.of(tools.jackson.databind.ObjectMapper.class, tools.jackson.core.TokenStreamFactory.class);

    /** Both use them. */
    private static final Class<?> ANNOTATIONS = com.fasterxml.jackson.annotation.JsonProperty.class;

    private static String call(Class<?> probe, List<Class<?>> jackson) throws Exception {
        var classes = new ArrayList<>(jackson);
        if (!jackson.isEmpty()) classes.add(ANNOTATIONS);
        classes.addAll(List.of(JacksonCodec.class, JacksonVersionsTest.class, kotlin.Unit.class));
        var urls = classes.stream()
                .map(type -> type.getProtectionDomain().getCodeSource().getLocation())
                .distinct()
                .toArray(URL[]::new);
        var thread = Thread.currentThread();
        var usual = thread.getContextClassLoader();
        try (var loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader())) {
            // Where Jackson looks for its modules.
            thread.setContextClassLoader(loader);
            var made =
                    loader.loadClass(probe.getName()).getDeclaredConstructor().newInstance();
            return (String) ((Callable<?>) made).call();
        } finally {
            thread.setContextClassLoader(usual);
        }
    }

    @Test
    void withJackson3AloneBothCodecsUseIt() throws Exception {
        assertEquals("Jackson3Codec x", call(ByJacksonCodec.class, JACKSON_3));
        assertEquals("Jackson3Codec x", call(ByJackson3Codec.class, JACKSON_3));
    }

    @Test
    void withJackson2AloneTheOtherOneSaysWhatIsMissing() throws Exception {
        assertEquals("JacksonCodec x", call(ByJacksonCodec.class, JACKSON_2));
        assertSaysWhatIsMissing(ByJackson3Codec.class, JACKSON_2);
    }

    @Test
    void withoutJacksonBothSayWhatIsMissing() {
        assertSaysWhatIsMissing(ByJacksonCodec.class, List.of());
        assertSaysWhatIsMissing(ByJackson3Codec.class, List.of());
    }

    private static void assertSaysWhatIsMissing(Class<?> probe, List<Class<?>> jackson) {
        var text = assertThrows(IllegalStateException.class, () -> call(probe, jackson))
                .getMessage();
        assertTrue(text.contains("tools.jackson.core:jackson-databind"), text);
    }
}
