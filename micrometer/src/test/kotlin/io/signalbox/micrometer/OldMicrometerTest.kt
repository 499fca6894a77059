package io.signalbox.micrometer

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.micrometer.core.instrument.simple.SimpleMeterRegistry
import io.signalbox.Signalbox
import io.signalbox.micrometer.internal.Needed
import io.signalbox.timers.Timers
import java.io.File
import java.net.URLClassLoader
import java.util.jar.JarEntry
import java.util.jar.JarFile
import java.util.jar.JarOutputStream
import java.util.jar.Manifest

/** On a Micrometer that says of itself that it is older: what a framework's BOM may have chosen. */
class OldMicrometerTest :
    FunSpec({
        test("the versions of Micrometer that are here are found") {
            Needed.all.filter { it.find() == null }.map { it.name } shouldBe emptyList()
        }

        test("binding to an older one is refused, with what was found, what is needed, and how to set it") {
            val (jars, others) = System.getProperty("java.class.path").split(File.pathSeparator).map(::File).partition {
                it.name.startsWith("micrometer-core-")
            }
            val urls = (others + aged(jars.single(), "1.15.4")).map { it.toURI().toURL() }
            URLClassLoader(urls.toTypedArray(), ClassLoader.getPlatformClassLoader()).use { loader ->
                for (attempt in listOf("bindClient", "bindTimers")) {
                    val refusal = loader.loadClass("io.signalbox.micrometer.OldMicrometerTestKt").getMethod(attempt).invoke(null) as String
                    refusal shouldContain "micrometer-core: found 1.15.4, needed 1.16.0 or newer"
                    refusal shouldContain "micrometer.version"
                }
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
fun bindClient(): String = refusalOf { SignalboxMetrics(it).bindTo(SimpleMeterRegistry()) }

fun bindTimers(): String = refusalOf { TimersMetrics(Timers(it) { }).bindTo(SimpleMeterRegistry()) }

private fun refusalOf(bind: (Signalbox) -> Unit): String =
    Signalbox.inMemory().use { signalbox ->
        try {
            bind(signalbox)
            "bound"
        } catch (refusal: IllegalStateException) {
            refusal.message.orEmpty()
        }
    }
