package io.signalbox.benchmarks

import com.github.ajalt.clikt.command.main
import kotlinx.coroutines.runBlocking

/** `bin/bench`. On one thread of its own: what goes on on a client's thread cannot close that client. */
fun main(arguments: Array<String>): Unit = runBlocking { BenchCommand().main(arguments) }
