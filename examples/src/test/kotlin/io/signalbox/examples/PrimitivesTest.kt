package io.signalbox.examples

import io.signalbox.InMemoryStore
import io.signalbox.Signalbox
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Test

/** What the README shows of each primitive, under virtual time. */
class PrimitivesTest {
    private fun TestScope.client() = Signalbox.inMemory(InMemoryStore(testTimeSource), backgroundScope)

    private val runs = mutableListOf<Long>()

    @Test
    fun `a mutex runs its block once`() =
        runTest {
            mutex(client()) { runs += it }
            assertEquals(1, runs.size)
        }

    @Test
    fun `an event that was set once ends one await`() =
        runTest {
            assertFalse(event(client()))
        }

    @Test
    fun `a pool runs its block once`() =
        runTest {
            pool(client()) { runs += it }
            assertEquals(1, runs.size)
        }

    @Test
    fun `a client can be observed, and closed`() =
        runTest {
            val client = client()
            client.semaphore("exports", permits = 4).acquire()
            observation(client, backgroundScope)
            closing(client)
        }
}
