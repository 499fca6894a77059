package io.signalbox.benchmarks

import io.kotest.core.spec.style.FunSpec
import io.kotest.inspectors.forAll
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldStartWith
import io.signalbox.benchmarks.contender.Arena
import io.signalbox.benchmarks.contender.ExchangeOnTheWire
import io.signalbox.benchmarks.contender.Form
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.ClosedLoop
import io.signalbox.benchmarks.measure.HandOff
import io.signalbox.benchmarks.measure.ProcessHandOff
import io.signalbox.testkit.RedisServer
import io.signalbox.testkit.RedisTopology
import kotlinx.coroutines.yield

/** Every contender runs for a moment, with the checks on: grants counted on the server, and the number of holders. */
class ContenderSpec :
    FunSpec({
        val server = autoClose(RedisServer.start {})
        val statistics = autoClose(Statistics(server.uri))
        val cluster = lazy { RedisTopology.cluster(masters = 3, replicas = 0) }

        val masters = lazy { List(3) { RedisServer.start() } }

        afterSpec {
            if (cluster.isInitialized()) cluster.value.close()
            if (masters.isInitialized()) masters.value.forEach { it.close() }
        }

        fun arena(
            name: String,
            permits: Int,
            coroutines: Int,
        ) = Arena(
            server.uri,
            name,
            permits,
            coroutines,
            statistics,
            clusterUri = { cluster.value.uri },
            masterUris = { masters.value.map { it.uri } },
        )

        val mutexes = listOf(Peer.SIGNALBOX_QUORUM, Peer.REDISSON_RED_LOCK)
        val semaphores = Peer.entries - mutexes
        val waiting = semaphores - Peer.RAW_LIST - Peer.NO_OP_SCRIPT

        fun inBothForms(
            peers: List<Peer>,
            name: String,
            permits: Int,
        ) = peers.forEach { peer ->
            Form.entries.forEach { form ->
                test("${peer.title(form)} $name, ${form.name.lowercase()}") {
                    peer.open(arena(name.replace(' ', '-'), permits, coroutines = 8)).use { contender ->
                        val loop = ClosedLoop(peer.title(form), contender, coroutines = 8, permits, form)
                        loop.runPairs(5) { yield() }.acquire.totalCount shouldBe 40
                    }
                }
            }
        }

        inBothForms(semaphores, "without contention", permits = 8)
        inBothForms(waiting, "with contention", permits = 2)
        inBothForms(mutexes, "as a mutex", permits = 1)

        // Who waits for the pool algorithm in another client cannot be seen; a blocked thread cannot look at the other client.
        (waiting - Peer.LOCAL - Peer.SIGNALBOX_POOL - Peer.SIGNALBOX_BLOCKING + Peer.SIGNALBOX_QUORUM).forEach { peer ->
            test("hand-off between two clients: ${peer.title()}") {
                val arena = arena("hand-off", permits = 1, coroutines = 1)
                peer.open(arena).use { first ->
                    peer.open(arena).use { second ->
                        HandOff(peer.title(), first, second).runTimes(10).minValue shouldBeGreaterThan 0
                    }
                }
            }
        }

        test("the no-op is called with the keys and arguments of a lone exchange") {
            val (acquire, release) = ExchangeOnTheWire.ofLoneAcquireAndRelease(server.uri)
            listOf(acquire, release).forEach { exchange ->
                exchange.keys.forAll { String(it) shouldStartWith "bench:" }
                exchange.arguments.size shouldBeGreaterThan 1
            }
            acquire.arguments.map { String(it) } shouldNotBe release.arguments.map { String(it) }
        }

        test("hand-off between two processes") {
            val histogram = ProcessHandOff(Peer.SIGNALBOX, arena("processes", permits = 1, coroutines = 1)).runTimes(10)
            histogram.totalCount shouldBe 9
            histogram.minValue shouldBeGreaterThan 0
        }
    })
