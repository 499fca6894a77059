package io.signalbox.testkit

import java.nio.file.Files
import java.nio.file.Path

/** A directory of its own below the system's temporary one; gone when closed, at the latest when this JVM exits. */
internal class TempDirectory(purpose: String) : AutoCloseable {
    val path: Path = Files.createTempDirectory("signalbox-$purpose-")

    init {
        Leftovers.add(this)
    }

    override fun close() {
        path.toFile().deleteRecursively()
        Leftovers.remove(this)
    }
}
