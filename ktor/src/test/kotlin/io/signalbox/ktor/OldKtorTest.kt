package io.signalbox.ktor

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.ktor.server.application.install
import io.ktor.server.testing.testApplication
import io.signalbox.Signalbox as Client
import io.signalbox.ktor.internal.Needed
import java.io.File
import java.net.URLClassLoader
import java.util.jar.JarEntry
import java.util.jar.JarFile
import java.util.jar.JarOutputStream
import java.util.jar.Manifest

/** On a Ktor that says of itself that it is older. */
class OldKtorTest :
    FunSpec({
        test("the versions that are here are found") {
            Needed.all.filter { it.find() == null }.map { it.name } shouldBe emptyList()
        }

        test("an older one is refused by the plugin, with what was found and what is needed") {
            val (jars, others) = System.getProperty("java.class.path").split(File.pathSeparator).map(::File).partition {
                it.name.startsWith("ktor-server-core-")
            }
            val urls = (others + aged(jars.single(), "3.3.3")).map { it.toURI().toURL() }
            URLClassLoader(urls.toTypedArray(), ClassLoader.getPlatformClassLoader()).use { loader ->
                val refusal = loader.loadClass("io.signalbox.ktor.OldKtorTestKt").getMethod("installPlugin").invoke(null) as String
                refusal shouldContain "ktor-server-core: found 3.3.3, needed 3.4.0 or newer"
                refusal shouldNotContain "Spring Boot"
            }
        }
    })

/** A copy of [jar] whose manifest has another version. */
private fun aged(
    jar: File,
    version: String,
): File {
    val copy = File.createTempFile("aged", ".jar").apply { deleteOnExit() }
    JarFile(jar).use { original ->
        val manifest = Manifest(original.manifest).apply { mainAttributes.putValue("Implementation-Version", version) }
        JarOutputStream(copy.outputStream(), manifest).use { out ->
            for (entry in original.entries().asSequence().filter { it.name != JarFile.MANIFEST_NAME }) {
                out.putNextEntry(JarEntry(entry.name))
                original.getInputStream(entry).use { it.copyTo(out) }
            }
        }
    }
    return copy
}

/** Called through the other loader. */
fun installPlugin(): String {
    var refusal = "installed"
    try {
        testApplication {
            install(Signalbox) { use(Client.inMemory()) }
            startApplication()
        }
    } catch (problem: IllegalStateException) {
        refusal = problem.message.orEmpty()
    }
    return refusal
}
