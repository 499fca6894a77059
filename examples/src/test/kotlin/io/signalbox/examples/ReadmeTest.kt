package io.signalbox.examples

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.ints.shouldBeGreaterThan
import java.io.File

/** Every Kotlin snippet of these pages is a region of a source file that is compiled and, in tests, run. */
class ReadmeTest :
    FunSpec({
        val regions =
            File("src").walk().filter { it.extension == "kt" }.flatMap { file ->
                Regex("// region \\w+\n(.*?) *// endregion", RegexOption.DOT_MATCHES_ALL).findAll(file.readText()).map { it.groupValues[1] }
            }.map { it.trimIndent().trim() }.toList()
        val snippets =
            listOf("README.md", "docs/timers.md").associateWith { page ->
                Regex("```kotlin\n(.*?)```", RegexOption.DOT_MATCHES_ALL).findAll(File("../$page").readText()).map {
                    it.groupValues[1].trim()
                }.toList()
            }

        snippets.forEach { (page, found) ->
            test("$page has snippets") { found.size shouldBeGreaterThan 2 }

            found.forEachIndexed { index, snippet ->
                test("snippet ${index + 1} of $page is compiled") { regions shouldContain snippet }
            }
        }
    })
