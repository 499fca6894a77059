package io.signalbox.examples

import io.signalbox.Signalbox
import io.signalbox.quorum.InMemoryMasters
import io.signalbox.quorum.inMemoryQuorum
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Test

class QuorumTest {
    @Test
    fun `on three servers the report is written and the export is run`() {
        val servers = List(3) { RedisServer.start() }
        val done = mutableListOf<String>()
        try {
            runBlocking {
                quorum(servers.map { it.uri }, { done += "written" }, { done += "exported" }).closeAndJoin()
            }
        } finally {
            servers.forEach { it.close() }
        }
        assertEquals(listOf("written", "exported"), done)
    }

    // region testing
    @Test
    fun `a permit outlives a master`() =
        runTest {
            val masters = InMemoryMasters(count = 3, timeSource = testTimeSource)
            val permit = Signalbox.inMemoryQuorum(masters, backgroundScope).mutex("nightly-report").lock()

            masters.stop(1) // an outage
            delay(1.minutes) // in no time at all

            assertFalse(permit.isLost)
        }
    // endregion
}
