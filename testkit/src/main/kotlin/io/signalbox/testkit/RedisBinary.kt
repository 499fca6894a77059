package io.signalbox.testkit

import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.TimeUnit

/** A server program; [origin] says in a few words where it is from, [version] is null if it does not tell. */
internal class RedisBinary private constructor(val path: Path, val origin: String, private val version: KotlinVersion?) {
    /** `DEBUG` must be allowed from version 7 on; before, it is, and the setting is unknown. */
    val guardsDebug: Boolean get() = version == null || version.major >= 7

    companion object {
        /** Names the program to run, where it is not to be the one on the `PATH`. */
        const val VARIABLE: String = "SIGNALBOX_REDIS_SERVER"

        /** The one that the environment names, else the first usable server on the `PATH`, else the bundled one. */
        val default: RedisBinary by lazy { given ?: onPath() ?: bundled }

        /** The one that comes with the testkit. */
        val bundled: RedisBinary by lazy { unpack() }

        /** The one that the environment names. */
        val given: RedisBinary? by lazy {
            System.getenv(VARIABLE)?.takeIf(String::isNotBlank)?.let { path ->
                val program = Path.of(path)
                require(Files.isExecutable(program)) { "$VARIABLE is $path, which is no program" }
                val version = version(program)
                RedisBinary(program, "$path ${version ?: ""} of $VARIABLE", version)
            }
        }

        private val OLDEST = KotlinVersion(6, 2)
        private const val BUNDLED_VERSION = "7.0.15"

        /** A program that does not tell its version within [patience] has none that is known. */
        fun at(path: Path, patience: Duration = PATIENCE): RedisBinary = RedisBinary(path, "$path", version(path, patience))

        private fun onPath(): RedisBinary? {
            val directories = System.getenv("PATH").orEmpty().split(File.pathSeparator).filter(String::isNotEmpty)
            return listOf("redis-server", "valkey-server", "redict-server").firstNotNullOfOrNull { name ->
                val program = directories.map { Path.of(it, name) }.firstOrNull(Files::isExecutable)
                val version = program?.let(::version)
                // An older Redis lacks commands that are needed; the bundled one has them.
                if (version != null && version >= OLDEST) RedisBinary(program, "$name $version on the PATH", version) else null
            }
        }

        private fun unpack(): RedisBinary {
            val resource = "redis-server-$BUNDLED_VERSION-${os()}-${architecture()}"
            // By the loader, which finds what is in another module.
            val content = RedisBinary::class.java.classLoader.getResourceAsStream(resource)
            checkNotNull(content) {
                "No Redis to test with: there is no redis-server (version 6.2 or newer), valkey-server or " +
                    "redict-server on the PATH, " +
                    "and the testkit has none for ${System.getProperty(
                        "os.name",
                    )} on ${System.getProperty("os.arch")} ($resource). Install one, " +
                    "or for a shared server point ${SharedRedis.URI_VARIABLE} to one."
            }
            val program = TempDirectory("redis-binary").path.resolve("redis-server")
            content.use { Files.copy(it, program) }
            check(program.toFile().setExecutable(true)) { "$program cannot be made executable" }
            return RedisBinary(program, "bundled redis-server $BUNDLED_VERSION", KotlinVersion(7, 0, 15))
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

        private fun version(program: Path, patience: Duration = PATIENCE): KotlinVersion? {
            // Not from a pipe, which is open as long as anybody has it.
            val output = Files.createTempFile("signalbox-version-", ".txt")
            try {
                val process = ProcessBuilder("$program", "--version").redirectErrorStream(true).redirectOutput(output.toFile()).start()
                if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) process.killTree()
                return VERSION.find(Files.readString(output))?.destructured?.let { (major, minor, patch) ->
                    KotlinVersion(major.toInt(), minor.toInt(), patch.toInt())
                }
            } catch (_: IOException) {
                return null
            } finally {
                Files.deleteIfExists(output)
            }
        }

        private val PATIENCE = Duration.ofSeconds(10)

        private val VERSION = Regex("""v=(\d{1,3})\.(\d{1,3})\.(\d{1,3})""")
    }
}
