package io.signalbox.consumer

fun main() = runCases()
