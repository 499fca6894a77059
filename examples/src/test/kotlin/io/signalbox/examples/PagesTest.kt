package io.signalbox.examples

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThan
import java.io.File

/** What the pages point at is there: files, their headings, and the specs that they say to run. */
class PagesTest :
    FunSpec({
        val root = File("..").canonicalFile
        val pages = root.walk().onEnter { it.name !in setOf("target", ".git", "node_modules") }.filter { it.extension == "md" }.toList()
        val tests =
            root.walk().onEnter { it.name !in setOf("target", ".git") }
                .filter { it.extension in setOf("kt", "java") && "/src/test/" in it.path }
                .map { it.nameWithoutExtension }.toSet()

        /** As GitHub makes them. */
        fun anchorsOf(page: File) =
            Regex("^#+ (.*)$", RegexOption.MULTILINE).findAll(page.readText())
                .map { it.groupValues[1].lowercase().replace(Regex("[^\\p{L}\\p{N} _-]"), "").replace(' ', '-') }.toSet()

        test("links") {
            var seen = 0
            val dead =
                pages.flatMap { page ->
                    Regex("]\\(([^)\\s]+)\\)").findAll(page.readText()).map {
                        it.groupValues[1]
                    }.filter { "://" !in it }.filterNot { link ->
                        seen++
                        val target =
                            page.parentFile.resolve(link.substringBefore('#')).takeIf { link.substringBefore('#').isNotEmpty() } ?: page
                        val anchor = link.substringAfter('#', "")
                        target.exists() && (anchor.isEmpty() || target.extension != "md" || anchor in anchorsOf(target))
                    }.map { "${page.relativeTo(root)}: $it" }.toList()
                }
            dead.shouldBeEmpty()
            seen shouldBeGreaterThan 50
        }

        test("specs and tests") {
            val named = listOf("CONTRIBUTING.md", "docs/design/README.md", "docs/reliability.md")
            val missing =
                named.flatMap { page ->
                    Regex("(?<![*A-Za-z.])[A-Z][A-Za-z]+(Spec|Test)\\b").findAll(root.resolve(page).readText()).map { it.value }
                        .filter { it !in tests }.map { "$page: $it" }.toList()
                }
            missing.shouldBeEmpty()
        }
    })
