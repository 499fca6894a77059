package io.signalbox.benchmarks.report

import io.signalbox.benchmarks.contender.Statistics
import java.io.File
import kotlinx.serialization.Serializable

/** What the figures were measured on. */
@Serializable
internal class Machine(
    val cores: Int,
    val processor: String,
    val system: String,
    val java: String,
    val server: String,
    val libraries: Map<String, String>,
) {
    override fun toString(): String =
        "$cores cores ($processor), $system, Java $java, $server, " + libraries.entries.joinToString { "${it.key} ${it.value}" }

    companion object {
        private val LIBRARIES =
            listOf("lettuce-core", "redisson", "kotlinx-coroutines-core-jvm", "netty-transport", "HdrHistogram", "jmh-core")

        /** [origin]: where the server's program is from. */
        fun read(
            statistics: Statistics,
            origin: String,
        ) =
            Machine(
                Runtime.getRuntime().availableProcessors(),
                processor(),
                "${System.getProperty("os.name")} ${System.getProperty("os.version")} ${System.getProperty("os.arch")}",
                "${System.getProperty("java.version")} (${System.getProperty("java.vm.name")})",
                "${server(statistics)}, $origin",
                LIBRARIES.associateWith(::version).filterValues { it.isNotEmpty() },
            )

        private fun processor(): String {
            val information = File("/proc/cpuinfo")
            val line = if (information.canRead()) {
                information.useLines { lines ->
                    lines.firstOrNull { it.startsWith("model name") }
                }
            } else {
                null
            }
            return line?.substringAfter(':')?.trim() ?: "unknown processor"
        }

        private fun server(statistics: Statistics): String {
            val valkey = statistics.info("server", "valkey_version")
            val version = if (valkey != null) "Valkey $valkey" else "Redis ${statistics.info("server", "redis_version")}"
            return "$version (${statistics.info("memory", "mem_allocator")})"
        }

        /** From the name of its jar on the class path. */
        private fun version(artifact: String): String =
            System
                .getProperty("java.class.path")
                .split(File.pathSeparator)
                .map { File(it).name }
                .firstOrNull { it.startsWith("$artifact-") && it[artifact.length + 1].isDigit() && it.endsWith(".jar") }
                ?.removePrefix("$artifact-")
                ?.removeSuffix(".jar")
                .orEmpty()
    }
}
