package io.signalbox.abi

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotBeBlank
import java.io.File
import org.jetbrains.kotlin.abi.tools.AbiFilters
import org.jetbrains.kotlin.abi.tools.AbiTools

/** Modules whose jars users depend on. */
internal val publishedModules = listOf("testkit", "core", "quorum", "timers", "java-interop", "micrometer", "ktor")

/** Without what is public only for the library's other modules: that changes without notice. */
private val PROMISED =
    AbiFilters(
        includedClasses = emptySet(),
        excludedClasses = emptySet(),
        includedAnnotatedWith = emptySet(),
        excludedAnnotatedWith = setOf("io.signalbox.InternalSignalboxApi"),
    )

private val root = File(System.getProperty("user.dir")).canonicalFile.parentFile
private val updating = System.getProperty("abi.update").toBoolean()

/**
 * Holds the public ABI of every published module against its reviewed text, `<module>/api/<module>.api`.
 *
 * With `-Dabi.update=true` the texts are rewritten instead, for the diff to be reviewed.
 */
class AbiSpec : FunSpec({
    publishedModules.forEach { module ->
        test("$module keeps its public ABI") {
            val actual = publicAbi(root.resolve("$module/target/classes"))
            val expected = root.resolve("$module/api/$module.api")
            if (updating) {
                expected.parentFile.mkdirs()
                expected.writeText(actual)
            }
            withClue("$expected differs from the compiled classes; if the change is meant, rewrite it with -Dabi.update=true") {
                (expected.takeIf(File::isFile)?.readText().orEmpty()) shouldBe actual
            }
        }
    }
})

/** The public declarations of the class files below [classes]. */
private fun publicAbi(classes: File): String {
    // The printer takes files; of a directory it would silently print nothing.
    val files = classes.walk().filter { it.extension == "class" }.sorted().toList()
    withClue("class files in $classes") { files.shouldNotBeEmpty() }
    val dump = buildString { AbiTools.getInstance().printJvmDump(this, files, PROMISED) }
    withClue("public ABI of $classes") { dump.shouldNotBeBlank() }
    return dump
}
