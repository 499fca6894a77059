package io.signalbox.examples

// region quickstart
import io.signalbox.Signalbox
import io.signalbox.withPermit

suspend fun main() {
    Signalbox.connect("redis://localhost").use { signalbox ->
        val crossing = signalbox.semaphore("crossing", permits = 2)
        crossing.withPermit { permit ->
            println("At most 2 processes get here at a time. This is grant ${permit.fencingToken}.")
        }
    }
}
// endregion
