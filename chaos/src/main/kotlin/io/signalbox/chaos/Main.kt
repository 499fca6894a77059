package io.signalbox.chaos

import com.github.ajalt.clikt.command.main
import com.github.ajalt.clikt.core.subcommands
import io.signalbox.chaos.soak.ReturnCommand
import io.signalbox.chaos.soak.SoakCommand
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

/** `bin/chaos`, and `bin/soak`. */
fun main(arguments: Array<String>): Unit =
    runBlocking(Dispatchers.Default) { ChaosCommand().subcommands(SoakCommand(), ReturnCommand(), BugsCommand()).main(arguments) }
