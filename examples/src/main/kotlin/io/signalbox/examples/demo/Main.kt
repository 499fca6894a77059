package io.signalbox.examples.demo

import com.github.ajalt.clikt.command.parse
import com.github.ajalt.clikt.core.CliktError
import com.github.ajalt.clikt.core.PrintHelpMessage
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.subcommands
import com.github.ajalt.clikt.output.ParameterFormatter
import io.lettuce.core.RedisException
import io.signalbox.SignalboxException
import io.signalbox.examples.demo.service.ServiceCommand
import io.signalbox.examples.demo.timers.TimersCommand
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay

/** The demo could not be run to its end, for a reason that lies outside of the library. */
internal class DemoFailure(message: String, cause: Throwable? = null) : Exception(message, cause)

/** What the process ends with. */
internal object ExitCode {
    const val OK = 0
    const val VIOLATION = 1
    const val FAILURE = 2
}

suspend fun main(arguments: Array<String>) {
    Interruption.watch()
    val code = run(arguments)
    Interruption.forget()
    exitProcess(code)
}

private suspend fun run(arguments: Array<String>): Int {
    val demo = DemoCommand().subcommands(TimersCommand(), ServiceCommand())
    return try {
        demo.parse(arguments)
        ExitCode.OK
    } catch (result: ProgramResult) {
        result.statusCode
    } catch (help: PrintHelpMessage) {
        demo.echoFormattedHelp(help)
        ExitCode.OK
    } catch (usage: UsageError) {
        val problem = usage.context?.let { usage.formatMessage(it.localization, ParameterFormatter.Plain) } ?: usage.message
        fail("${problem.orEmpty().trimEnd('.')}. See bin/demo --help.")
    } catch (other: CliktError) {
        fail(other.message)
    } catch (failure: DemoFailure) {
        fail(failure.message)
    } catch (failure: SignalboxException) {
        fail(failure.message)
    } catch (failure: RedisException) {
        fail("Redis failed: ${failure.message}")
    } catch (unexpected: Exception) {
        fail(unexpected.stackTraceToString())
    }
}

private suspend fun fail(problem: String?): Int {
    // Ctrl-C ends the workers as well, maybe before this process has noticed.
    delay(100.milliseconds)
    if (!Interruption.happened) System.err.println("demo: ${problem ?: "failed for an unknown reason"}")
    return ExitCode.FAILURE
}
