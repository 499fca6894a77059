package io.signalbox.benchmarks

import com.github.ajalt.clikt.command.main

/** `bin/bench`. */
suspend fun main(arguments: Array<String>) = BenchCommand().main(arguments)
