package io.signalbox.internal

import java.nio.file.Files
import java.nio.file.Path

/** What this machine calls itself, without asking a name server, which may take long. */
internal object HostName {
    val value: String by lazy {
        find(System.getenv(), listOf(Path.of("/proc/sys/kernel/hostname"), Path.of("/etc/hostname")))
    }

    /** Shells rarely export it, and service managers never do: then the system knows. */
    fun find(
        environment: Map<String, String>,
        files: List<Path>,
    ): String =
        listOf("HOSTNAME", "COMPUTERNAME").firstNotNullOfOrNull { environment[it]?.trim()?.ifEmpty { null } }
            ?: files.firstNotNullOfOrNull(::read)
            ?: "localhost"

    private fun read(file: Path): String? = runCatching { Files.readString(file).trim() }.getOrNull()?.ifEmpty { null }
}
