package io.signalbox.testkit

import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.util.concurrent.TimeUnit

/** A server program; [origin] says in a few words where it is from. */
internal class RedisBinary(val path: Path, val origin: String) {
    companion object {
        /** The first usable server on the `PATH`, else the bundled one. */
        val default: RedisBinary by lazy { onPath() ?: bundled }

        /** The one that comes with the testkit. */
        val bundled: RedisBinary by lazy { unpack() }

        private const val OLDEST_MAJOR = 7
        private const val BUNDLED_VERSION = "7.0.15"

        private fun onPath(): RedisBinary? {
            val directories = System.getenv("PATH").orEmpty().split(File.pathSeparator).filter(String::isNotEmpty)
            return listOf("redis-server", "valkey-server").firstNotNullOfOrNull { name ->
                val program = directories.map { Path.of(it, name) }.firstOrNull(Files::isExecutable)
                val version = program?.let(::version)
                // An older Redis lacks commands that a test may count on; the bundled one has them.
                if (version != null && version.major >= OLDEST_MAJOR) RedisBinary(program, "$name $version on the PATH") else null
            }
        }

        private fun unpack(): RedisBinary {
            val resource = "/redis-server-$BUNDLED_VERSION-${os()}-${architecture()}"
            val content = RedisBinary::class.java.getResourceAsStream(resource)
            checkNotNull(content) {
                "No Redis to test with: there is no redis-server (version $OLDEST_MAJOR or newer) or valkey-server on the PATH, " +
                    "and the testkit has none for ${System.getProperty(
                        "os.name",
                    )} on ${System.getProperty("os.arch")} ($resource). Install one, " +
                    "or for a shared server point ${SharedRedis.URI_VARIABLE} to one."
            }
            val program = TempDirectory("redis-binary").path.resolve("redis-server")
            content.use { Files.copy(it, program) }
            check(program.toFile().setExecutable(true)) { "$program cannot be made executable" }
            return RedisBinary(program, "bundled redis-server $BUNDLED_VERSION")
        }

        private fun os(): String {
            val name = System.getProperty("os.name").lowercase()
            return if (name.startsWith("mac")) "darwin" else name
        }

        private fun architecture(): String = when (val name = System.getProperty("os.arch")) {
            "x86_64" -> "amd64"
            "aarch64" -> "arm64"
            "x86", "i386", "i686" -> "386"
            else -> name
        }

        private fun version(program: Path): KotlinVersion? {
            val output = try {
                val process = ProcessBuilder("$program", "--version").redirectErrorStream(true).start()
                process.inputReader().use { it.readText() }.takeIf { process.waitFor(10, TimeUnit.SECONDS) }
            } catch (_: IOException) {
                null
            }
            return output?.let(VERSION::find)?.destructured?.let { (major, minor, patch) ->
                KotlinVersion(major.toInt(), minor.toInt(), patch.toInt())
            }
        }

        private val VERSION = Regex("""v=(\d{1,3})\.(\d{1,3})\.(\d{1,3})""")
    }
}
