package io.signalbox.internal

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.nio.file.Path
import kotlin.io.path.createTempFile
import kotlin.io.path.deleteExisting
import kotlin.io.path.writeText

/** What a client is called by default where nobody has exported a name. */
class HostNameSpec : FunSpec({
    val file = createTempFile("hostname").apply { writeText("station\n") }
    val nowhere = Path.of("/does/not/exist")
    afterSpec { file.deleteExisting() }

    val cases =
        listOf(
            Triple(mapOf("HOSTNAME" to "shell"), listOf(file), "shell"),
            Triple(mapOf("COMPUTERNAME" to "desk"), listOf(file), "desk"),
            Triple(mapOf("HOSTNAME" to " "), listOf(file), "station"),
            Triple(emptyMap(), listOf(nowhere, file), "station"),
            Triple(emptyMap(), listOf(nowhere), "localhost"),
        )
    for ((environment, files, expected) in cases) {
        test("with $environment it is $expected") { HostName.find(environment, files) shouldBe expected }
    }
})
