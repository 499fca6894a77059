package io.signalbox.benchmarks

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.benchmarks.contender.Arena
import io.signalbox.benchmarks.contender.SignalPeer
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.CheckFailure
import io.signalbox.benchmarks.measure.SignalLoop
import io.signalbox.testkit.RedisServer

/** Who signals runs for a moment, with the checks on. */
class SignalsSpec :
    FunSpec({
        val server = autoClose(RedisServer.start {})
        val statistics = autoClose(Statistics(server.uri))

        SignalPeer.entries.forEach { peer ->
            val arena = Arena(server.uri, "signals-$peer", permits = 1, coroutines = 8, statistics)

            test("${peer.title}: set and await") {
                peer.open(arena).use { SignalLoop(peer.title, it, coroutines = 8).runPairs(5).totalCount shouldBe 40 }
            }

            test("${peer.title}: a signal too many is noticed") {
                peer.open(arena).use { signals ->
                    signals.set()
                    val failure = shouldThrow<CheckFailure> { SignalLoop(peer.title, signals, coroutines = 8).runPairs(1) }
                    failure.message shouldContain "a signal is left"
                }
            }
        }
    })
