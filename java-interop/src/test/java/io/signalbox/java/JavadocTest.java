package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.SignalboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What Java's readers must find without looking into another module's pages. */
class JavadocTest {
    private static final Path SOURCES = Path.of("src/main/java/io/signalbox/java");
    private static final Pattern DOCUMENTATION = Pattern.compile("/\\*\\*.*?\\*/", Pattern.DOTALL);

    @Test
    void thePackageListsEveryException() throws IOException {
        var text = Files.readString(SOURCES.resolve("package-info.java"));
        var kinds = SignalboxException.class.getPermittedSubclasses();
        assertTrue(kinds.length > 5);
        var unlisted = Stream.of(kinds)
                .map(Class::getSimpleName)
                .filter(name -> !text.contains("<li>{@code " + name + "}"))
                .toList();
        assertEquals(List.of(), unlisted);
    }

    @Test
    void everyCallThatWaitsForTheServerSaysHowItFails() throws IOException {
        var incomplete = new ArrayList<String>();
        for (var file : List.of("Signalbox", "Semaphore", "Mutex", "Event", "timers/Timers")) {
            var source = Files.readString(SOURCES.resolve(file + ".java"));
            var waiting = DOCUMENTATION
                    .matcher(source)
                    .results()
                    .map(match -> match.group())
                    .filter(text -> text.contains("@throws InterruptedException"))
                    .toList();
            assertFalse(waiting.isEmpty(), file);
            waiting.stream()
                    .filter(text -> !text.contains("@throws io.signalbox.StoreUnavailableException")
                            || !text.contains("@throws io.signalbox.SignalboxClosedException"))
                    .forEach(text -> incomplete.add(file + ": " + text));
        }
        assertEquals(List.of(), incomplete);
    }
}
