package io.signalbox.examples

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.ints.shouldBeGreaterThan
import java.io.File

/** Every Kotlin snippet of the README is a region of a source file that is compiled and, in tests, run. */
class ReadmeTest :
    FunSpec({
        val regions =
            File("src").walk().filter { it.extension == "kt" }.flatMap { file ->
                Regex("// region \\w+\n(.*?) *// endregion", RegexOption.DOT_MATCHES_ALL).findAll(file.readText()).map { it.groupValues[1] }
            }.map { it.trimIndent().trim() }.toList()
        val snippets =
            Regex("```kotlin\n(.*?)```", RegexOption.DOT_MATCHES_ALL).findAll(File("../README.md").readText()).map {
                it.groupValues[1].trim()
            }.toList()

        test("the README has snippets") { snippets.size shouldBeGreaterThan 2 }

        snippets.forEachIndexed { index, snippet ->
            test("snippet ${index + 1} of the README is compiled") { regions shouldContain snippet }
        }
    })
