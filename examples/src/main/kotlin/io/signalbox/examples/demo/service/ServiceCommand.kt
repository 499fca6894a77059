package io.signalbox.examples.demo.service

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.option
import io.signalbox.examples.demo.DemoFailure
import io.signalbox.examples.demo.ExitCode
import io.signalbox.testkit.RedisServer
import kotlinx.coroutines.awaitCancellation

/** `bin/demo service`. */
internal class ServiceCommand : SuspendingCliktCommand(name = "service") {
    private val stay by option(help = "Leave the instances running for requests of yours, until Ctrl-C").flag()

    override fun help(context: Context) = """
        Two instances of a Ktor service, with a limit of five exports at a time over both, timers, a mutex, and metrics. Both get many requests at once; then one
        is told to end. Checks that the limit was kept, and that what was promised was done.
    """.trimIndent()

    override suspend fun run() {
        val server = try {
            RedisServer.start {}
        } catch (e: IllegalStateException) {
            throw DemoFailure("no Redis could be started. ${e.message}", e)
        }
        server.use { redis ->
            ServiceDemo(redis.uri).use { demo ->
                if (stay) {
                    demo.introduce()
                    awaitCancellation()
                }
                if (!demo.run()) throw ProgramResult(ExitCode.VIOLATION)
            }
        }
    }
}
