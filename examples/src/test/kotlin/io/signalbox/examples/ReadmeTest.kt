package io.signalbox.examples

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import java.io.File

/** Every Kotlin snippet of these pages is a region of a source file that is compiled and, in tests, run. */
class ReadmeTest :
    FunSpec({
        val regions =
            File("src").walk().filter { it.extension == "kt" }.flatMap { file ->
                Regex("// region \\w+\n(.*?) *// endregion", RegexOption.DOT_MATCHES_ALL).findAll(file.readText()).map { it.groupValues[1] }
            }.map { it.trimIndent().trim() }.toList()
        // The least number of snippets, lest a page be no longer read.
        val pages = mapOf("README.md" to 3, "docs/timers.md" to 3, "docs/services.md" to 3, "docs/quorum.md" to 2)
        val snippets =
            pages.keys.associateWith { page ->
                Regex("```kotlin\n(.*?)```", RegexOption.DOT_MATCHES_ALL).findAll(File("../$page").readText()).map {
                    it.groupValues[1].trim()
                }.toList()
            }

        snippets.forEach { (page, found) ->
            test("$page has snippets") { found.size shouldBeGreaterThanOrEqual pages.getValue(page) }

            found.forEachIndexed { index, snippet ->
                test("snippet ${index + 1} of $page is compiled") { regions shouldContain snippet }
            }
        }
    })
