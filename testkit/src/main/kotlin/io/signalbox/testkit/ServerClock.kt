package io.signalbox.testkit

import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardCopyOption
import java.time.Instant
import java.util.Locale
import java.util.concurrent.TimeUnit
import java.util.function.Consumer
import kotlin.io.path.absolutePathString
import kotlin.io.path.exists
import kotlin.io.path.writeText

/**
 * The clock of a server process, bent by libfaketime: ahead of the machine's, or behind, from one moment to the next.
 *
 * [program] runs the server by it: `RedisServer.start { binary(clock.program) }`. Several servers of one clock go by the same time. Not
 * thread-safe.
 */
public class ServerClock private constructor(private val server: Path, library: Path, bendsMonotonic: Boolean) : AutoCloseable {
    private val directory = TempDirectory("clock")
    private val stamp = directory.path.resolve("now").apply { writeText("+0\n") }

    /** The server's program with that clock; takes the same arguments. */
    public val program: Path = directory.path.resolve("server")

    init {
        val variables = environment(library, stamp, bendsMonotonic).entries.joinToString(" ") { "${it.key}='${it.value}'" }
        program.writeText("#!/bin/sh\nexec env $variables '${server.absolutePathString()}' \"$@\"\n")
        check(program.toFile().setExecutable(true)) { "$program cannot be made executable" }
    }

    /** By how much it is ahead; negative if it is behind. */
    public var secondsAhead: Double = 0.0
        set(value) {
            field = value
            furthest = maxOf(furthest, value)
            // In one step: half a line would be no time.
            val next = directory.path.resolve("next")
            next.writeText("%+.3f\n".format(Locale.ROOT, value))
            Files.move(next, stamp, StandardCopyOption.ATOMIC_MOVE)
        }

    private var furthest = 0.0

    /** Whether a server goes by it. */
    private fun works(): Boolean {
        val version = ProcessBuilder("$program", "--version")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start()
        if (!version.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            version.killTree()
            return false
        }
        if (version.exitValue() != 0) return false
        secondsAhead = HOUR
        return try {
            RedisServer.start { binary(program) }.use { it.command("TIME").lines().first().toLong() > Instant.now().epochSecond + HOUR / 2 }
        } catch (_: IllegalStateException) {
            false
        } finally {
            reset()
        }
    }

    /** Goes to where it was at its furthest: what was to happen then is not an hour away. */
    public fun catchUp() {
        secondsAhead = furthest
    }

    /** Goes right again. */
    public fun reset() {
        furthest = 0.0
        secondsAhead = 0.0
    }

    /** Removes its files. Servers that go by it must have been closed before. */
    override fun close(): Unit = directory.close()

    public companion object {
        /** Names the library, where it is not installed. */
        private const val VARIABLE = "SIGNALBOX_FAKETIME"
        private const val PATIENCE_SECONDS = 5L
        private const val HOUR = 3600.0

        private val FOLDERS =
            listOf(
                "/usr/lib/x86_64-linux-gnu/faketime",
                "/usr/lib/aarch64-linux-gnu/faketime",
                "/usr/lib/faketime",
                "/usr/local/lib/faketime",
            )

        /**
         * The library, where it is installed, or the one that the environment variable `SIGNALBOX_FAKETIME` names; null if there is none.
         */
        @JvmStatic
        public val library: Path? by lazy {
            val named = System.getenv(VARIABLE)?.takeIf(String::isNotBlank)?.let(Path::of)
            require(named == null || named.exists()) { "$VARIABLE is $named, which is not there" }
            named ?: FOLDERS.map { Path.of(it, "libfaketimeMT.so.1") }.firstOrNull { it.exists() }
        }

        /**
         * The environment of a process that goes by [library].
         *
         * @param stamp a file with the offset, which is read at each look at the clock; without it, it is in the variable `FAKETIME`, to
         *   be added
         * @param bendsMonotonic whether its monotonic clock leaps as well, as no machine's does; what waits for a time that leapt over
         *   ends then
         */
        @JvmStatic
        @JvmOverloads
        public fun environment(library: Path, stamp: Path?, bendsMonotonic: Boolean = false): Map<String, String> = buildMap {
            // The C library's malloc, too: jemalloc asks for the time before libfaketime is ready for that, and hangs.
            put("LD_PRELOAD", "$library libc.so.6")
            put("FAKETIME_NO_CACHE", "1")
            // Else it takes the moments of the monotonic clock that a JVM waits for as ones of its own, and every timed wait ends at once.
            put("FAKETIME_FORCE_MONOTONIC_FIX", "0")
            if (!bendsMonotonic) {
                put("FAKETIME_DONT_FAKE_MONOTONIC", "1")
                put("DONT_FAKE_MONOTONIC", "1")
            }
            if (stamp != null) put("FAKETIME_TIMESTAMP_FILE", "$stamp")
        }

        /**
         * A clock for [server]; null, with [why] not, where it cannot be had: without the library, or for a server that is linked
         * statically.
         *
         * @param server its program; null for the one that [RedisServer.start] takes by default
         * @param bendsMonotonic whether its monotonic clock leaps as well, as no machine's does
         */
        @JvmStatic
        @JvmOverloads
        public fun of(server: Path?, bendsMonotonic: Boolean = false, why: Consumer<String>): ServerClock? {
            val library = library
            val program = server ?: RedisBinary.default.takeIf { it !== RedisBinary.bundled }?.path
            when {
                library == null -> why.accept("libfaketime is not installed (Debian: faketime)")
                program == null -> why.accept("the server that comes with the testkit is linked statically; name another one")
                else -> {
                    val clock = ServerClock(program, library, bendsMonotonic)
                    if (clock.works()) return clock
                    clock.close()
                    why.accept("$program does not run under libfaketime")
                }
            }
            return null
        }
    }
}
