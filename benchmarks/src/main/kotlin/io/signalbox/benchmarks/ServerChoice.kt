package io.signalbox.benchmarks

import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.RedisServer
import java.io.IOException
import java.nio.file.Path

/** A server build to measure on: [BUNDLED], or a program by its name on the `PATH` or its path; `null` is whichever the testkit finds. */
internal class ServerChoice(
    private val program: String?,
) {
    /** @throws IOException if there is no such program, or it is no server. */
    fun start(): RedisProcess =
        try {
            RedisServer.start {
                when (program) {
                    null -> Unit
                    BUNDLED -> bundledBinary()
                    else -> binary(Path.of(program))
                }
            }
        } catch (failure: IllegalStateException) {
            throw IOException(failure.message, failure)
        }

    companion object {
        const val BUNDLED = "bundled"
    }
}
