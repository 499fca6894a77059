package io.signalbox.benchmarks

import io.signalbox.benchmarks.contender.Arena
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.ClosedLoop
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking

/** Temporary: `peer coroutines permits seconds rounds`. */
fun main(arguments: Array<String>) {
    RedisServer.start {}.use { server ->
        Statistics(server.uri).use { statistics ->
            runBlocking {
                for (name in arguments[0].split(',')) {
                    val peer = Peer.valueOf(name)
                    val c = arguments[1].toInt()
                    val permits = arguments[2].toInt()
                    peer.open(Arena(server.uri, "a", permits, c, statistics)).use { contender ->
                        val loop = ClosedLoop(peer.title, contender, c, permits)
                        repeat(arguments[4].toInt()) {
                            val cpu = statistics.cpuSeconds()
                            statistics.commands.configResetstat()
                            val round = loop.runFor(arguments[3].toInt().seconds)
                            println(
                                "$name c=$c n=$permits %,.0f/s p50=%.1f us p99=%.1f us redis cpu=%.2f".format(
                                    round.pairsPerSecond,
                                    round.acquire.getValueAtPercentile(50.0) / 1e3,
                                    round.acquire.getValueAtPercentile(99.0) / 1e3,
                                    (statistics.cpuSeconds() - cpu) / arguments[3].toInt(),
                                ),
                            )
                            if (arguments.size > 5) println(statistics.commands.info("commandstats"))
                        }
                    }
                }
            }
        }
    }
}
