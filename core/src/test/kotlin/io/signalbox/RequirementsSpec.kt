package io.signalbox

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldEndWith
import io.signalbox.internal.Requirements
import io.signalbox.internal.Requirements.Requirement

class RequirementsSpec :
    FunSpec({
        fun complaint(
            found: String?,
            oldest: String,
        ) = Requirements.complaint(listOf(Requirement("lettuce-core", oldest, "lettuce.version") { found }))

        listOf("6.6.0", "6.6.0.RELEASE/643bd47", "6.6.1-SNAPSHOT", "6.10", "7", "7.0.0-M1").forEach { found ->
            test("$found is as new as 6.6.0") { complaint(found, "6.6.0").shouldBeNull() }
        }

        listOf("6.5.9.RELEASE", "6.5-SNAPSHOT", "5.99.99", "6").forEach { found ->
            test("$found is older than 6.6.0") {
                complaint(found, "6.6.0")!!.lines()[1] shouldBe "  lettuce-core: found $found, needed 6.6.0 or newer"
            }
        }

        test("a version that cannot be told is no reason to refuse") { complaint(null, "6.6.0").shouldBeNull() }

        test("all that is too old is named at once, with the properties of Spring Boot") {
            val requirements =
                listOf(
                    Requirement("kotlin-stdlib", "2.2.0", "kotlin.version") { "1.9.25" },
                    Requirement("kotlinx-coroutines-core", "1.10.2", "kotlin-coroutines.version") { "1.8.1" },
                    Requirement("lettuce-core", "6.6.0", "lettuce.version") { "6.6.0.RELEASE/643bd47" },
                )
            Requirements.complaint(requirements) shouldBe
                """
                Signalbox cannot run on dependencies this old:
                  kotlin-stdlib: found 1.9.25, needed 2.2.0 or newer
                  kotlinx-coroutines-core: found 1.8.1, needed 1.10.2 or newer
                They are older than what Signalbox depends on, so something in the build has chosen them: a parent, an imported BOM, or a version of its own. Choose newer ones there; with Spring Boot by the properties kotlin.version, kotlin-coroutines.version.
                """.trimIndent()
        }

        test("one that Spring Boot does not manage is named without a property") {
            val ktor = Requirement("ktor-server-core", "3.4.0", null) { "3.3.1" }
            val text = Requirements.complaint(listOf(ktor))!!
            text.lines()[1] shouldBe "  ktor-server-core: found 3.3.1, needed 3.4.0 or newer"
            text.shouldEndWith("Choose newer ones there.")
            val both = listOf(ktor, Requirement("micrometer-core", "1.16.0", "micrometer.version") { "1.15.4" })
            Requirements.complaint(both)!!.shouldEndWith("with Spring Boot by the properties micrometer.version.")
        }

        test("the version of every dependency here is found") {
            Requirements.found().filter { it.value == null }.keys shouldBe emptySet()
        }
    })
