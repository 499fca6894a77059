package io.signalbox.java;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.signalbox.SignalboxException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What Java's readers must find without looking into another module's pages. */
class JavadocTest {
    private static final Path SOURCES = Path.of("src/main/java/io/signalbox/java");
    private static final Pattern THROWS = Pattern.compile("throws [\\w, ]*InterruptedException");

    /** The documentation of a method, and its head, which throws that. */
    private static final Pattern INTERRUPTIBLE =
            Pattern.compile("(/\\*\\*(?:[^*]++|\\*(?!/))*+\\*/)[^;{/]*throws [\\w, ]*InterruptedException");

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

    /** Every file, so that a new one is not forgotten. */
    @Test
    void everyCallThatWaitsForTheServerSaysHowItFails() throws IOException {
        var incomplete = new ArrayList<String>();
        var waiting = new TreeSet<String>();
        for (var file : sources()) {
            var source = Files.readString(SOURCES.resolve(file));
            for (var method : INTERRUPTIBLE.matcher(source).results().toList()) {
                waiting.add(file);
                var text = method.group(1);
                for (var kind :
                        List.of("StoreUnavailableException", "SignalboxClosedException", "InterruptedException")) {
                    // The end of the lease ends it.
                    boolean isRelease = text.contains("interrupting the thread ends the wait, never the release");
                    if (isRelease && kind.equals("StoreUnavailableException")) continue;
                    if (!Pattern.compile("@throws (io\\.signalbox\\.)?" + kind)
                            .matcher(text)
                            .find()) incomplete.add(file + ", " + kind + ": " + method.group());
                }
            }
            // None that the pattern does not see.
            assertEquals(
                    THROWS.matcher(source.replaceAll("(?s)/\\*.*?\\*/", ""))
                            .results()
                            .count(),
                    INTERRUPTIBLE.matcher(source).results().count(),
                    file);
        }
        assertEquals(List.of(), incomplete);
        assertTrue(waiting.containsAll(List.of("Permit.java", "quorum/QuorumMutex.java", "timers/Timers.java")));
    }

    private static List<String> sources() throws IOException {
        try (var files = Files.walk(SOURCES)) {
            return files.filter(it -> it.toString().endsWith(".java"))
                    .map(it -> SOURCES.relativize(it).toString().replace('\\', '/'))
                    .toList();
        }
    }
}
