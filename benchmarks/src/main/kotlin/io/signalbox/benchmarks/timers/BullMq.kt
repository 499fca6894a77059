package io.signalbox.benchmarks.timers

import java.io.IOException
import java.nio.file.Path
import kotlin.io.path.exists

/**
 * BullMQ, measured by its own script (`benchmarks/bullmq/bench.mjs`) on the server at [uri]: one line, or null where Node.js or the
 * script's packages are missing. Run from the project's directory.
 */
internal fun bullMq(
    uri: String,
    rounds: Int,
): String? {
    val directory = Path.of("benchmarks", "bullmq")
    if (!directory.resolve("node_modules").exists()) return null
    val process =
        try {
            ProcessBuilder("node", "bench.mjs", uri, "$rounds").directory(directory.toFile()).redirectErrorStream(true).start()
        } catch (_: IOException) {
            // There is no node on the PATH.
            return null
        }
    val output = process.inputReader().use { it.readText() }.trim()
    return if (process.waitFor() == 0) output else "BullMQ could not be measured: $output"
}
