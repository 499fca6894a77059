package io.signalbox.examples.java;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every Java snippet of the documentation is a region of a source file that is compiled and, in tests, run. */
class JavaDocsTest {
    private static final Pattern REGION = Pattern.compile("// region \\w+\n(.*?) *// endregion", Pattern.DOTALL);
    private static final Pattern SNIPPET = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

    @TestFactory
    List<DynamicTest> snippetsAreCompiled() throws IOException {
        var regions = regions();
        var text = Files.readString(Path.of("../docs/java.md"))
                + Files.readString(Path.of("../docs/quorum.md"))
                + Files.readString(Path.of("../README.md"));
        var snippets = SNIPPET.matcher(text)
                .results()
                .map(found -> found.group(1).strip())
                .toList();
        assertTrue(snippets.size() > 4, "snippets found");
        return snippets.stream()
                .map(snippet -> DynamicTest.dynamicTest(
                        snippet.lines().findFirst().orElse(""),
                        () -> assertTrue(regions.contains(snippet), () -> "no region has\n" + snippet)))
                .toList();
    }

    private static Set<String> regions() throws IOException {
        var regions = new HashSet<String>();
        try (var files = Files.walk(Path.of("src"))) {
            for (var file :
                    files.filter(path -> path.toString().endsWith(".java")).toList()) {
                REGION.matcher(Files.readString(file))
                        .results()
                        .forEach(found -> regions.add(
                                found.group(1).stripTrailing().stripIndent().strip()));
            }
        }
        return regions;
    }
}
