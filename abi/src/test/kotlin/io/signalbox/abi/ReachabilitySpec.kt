package io.signalbox.abi

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import java.io.File

private val root = File(System.getProperty("user.dir")).canonicalFile.parentFile
private val named = Regex("\"(type|glob)\": \"([^\"]+)\"")

/** What the published jars load by name is told to native images, and is there under that name. */
class ReachabilitySpec :
    FunSpec({
        val jars = File("target/newest").listFiles { file -> file.extension == "jar" }.orEmpty().toList()

        (publishedModules - "testkit").forEach { module ->
            val classes = root.resolve("$module/target/classes")
            val metadata = classes.resolve("META-INF/native-image").walk().filter { it.name == "reachability-metadata.json" }.toList()
            val lines = metadata.flatMap { named.findAll(it.readText()) }.groupBy({ it.groupValues[1] }, { it.groupValues[2] })

            test("each type that $module loads by name exists") {
                val classPath = ClassPath(listOf(classes) + jars)
                lines["type"].orEmpty().filter { classPath.declared(it.replace('.', '/')) == null }.shouldBeEmpty()
            }

            test("each resource of $module is listed") {
                val covered = lines["glob"].orEmpty().map { it.removeSuffix("**") }
                val resources = classes.walk().filter { it.extension == "lua" }.map { it.relativeTo(classes).invariantSeparatorsPath }
                withClue("$covered") { resources.filter { file -> covered.none(file::startsWith) }.toList().shouldBeEmpty() }
            }
        }
    })
