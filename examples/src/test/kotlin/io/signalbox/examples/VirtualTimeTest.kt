package io.signalbox.examples

import io.signalbox.InMemoryStore
import io.signalbox.Signalbox
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.cancel
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test

class VirtualTimeTest {
    // region testing
    @Test
    fun `a crashed process gives its permit back after one lease`() =
        runTest {
            val store = InMemoryStore(testTimeSource)
            val crashing = CoroutineScope(backgroundScope.coroutineContext + Job())
            Signalbox.inMemory(store, crashing).semaphore("reports", permits = 1).acquire()
            crashing.cancel()

            val permit = Signalbox.inMemory(store, backgroundScope).semaphore("reports", permits = 1).acquire()

            assertEquals(30, currentTime.milliseconds.inWholeSeconds) // in no time at all
            permit.release()
        }
    // endregion
}
