package io.signalbox.benchmarks

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.signalbox.benchmarks.contender.Arena
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.ClosedLoop
import io.signalbox.benchmarks.measure.HandOff
import io.signalbox.benchmarks.measure.ProcessHandOff
import io.signalbox.testkit.RedisServer
import kotlinx.coroutines.yield

/** Every contender runs for a moment, with the checks on: grants counted on the server, and the number of holders. */
class ContenderSpec :
    FunSpec({
        val server = autoClose(RedisServer.start {})
        val statistics = autoClose(Statistics(server.uri))

        fun arena(
            name: String,
            permits: Int,
            coroutines: Int,
        ) = Arena(server.uri, name, permits, coroutines, statistics)

        val waiting = Peer.entries - Peer.RAW_LIST - Peer.NO_OP_SCRIPT

        Peer.entries.forEach { peer ->
            test("${peer.title} without contention") {
                peer.open(arena("uncontended", permits = 8, coroutines = 8)).use { contender ->
                    ClosedLoop(peer.title, contender, coroutines = 8, permits = 8).runPairs(5) { yield() }.acquire.totalCount shouldBe 40
                }
            }
        }

        waiting.forEach { peer ->
            test("${peer.title} with contention") {
                peer.open(arena("contended", permits = 2, coroutines = 8)).use { contender ->
                    ClosedLoop(peer.title, contender, coroutines = 8, permits = 2).runPairs(5) { yield() }.acquire.totalCount shouldBe 40
                }
            }
        }

        (waiting - Peer.LOCAL).forEach { peer ->
            test("hand-off between two clients: ${peer.title}") {
                val arena = arena("hand-off", permits = 1, coroutines = 1)
                peer.open(arena).use { first ->
                    peer.open(arena).use { second ->
                        HandOff(peer.title, first, second).runTimes(10).minValue shouldBeGreaterThan 0
                    }
                }
            }
        }

        test("hand-off between two processes") {
            val histogram = ProcessHandOff(Peer.SIGNALBOX, arena("processes", permits = 1, coroutines = 1)).runTimes(10)
            histogram.totalCount shouldBe 9
            histogram.minValue shouldBeGreaterThan 0
        }
    })
