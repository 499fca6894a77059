package io.signalbox.benchmarks.figure

import io.lettuce.core.RedisClient
import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.Entry
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.measure.Summary
import io.signalbox.benchmarks.measure.WindowRound
import io.signalbox.testkit.FaultProxy
import java.net.URI
import java.time.Duration
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

private const val PERMITS = 8
private const val COROUTINES = 200
private const val TARGET = 95.0
private val HOLD = 1.milliseconds
private val ONE_WAY = Duration.ofMillis(1)

/**
 * The part of the time that a permit is held, with holds of a millisecond and a server that is a millisecond away: what is missing is
 * what permits spend on the way. The loops run in one process, then in two with half of the coroutines each; the proxy is in this one.
 */
internal suspend fun permitsInUse(bench: Bench): List<FigureLine> {
    val server = URI(bench.uri)
    return FaultProxy(server.host, server.port).use { proxy ->
        proxy.delay(ONE_WAY)
        val way = "redis://${proxy.host}:${proxy.port}"
        val roundTrip = roundTripMillis(way)
        val own = Entry(Peer.SIGNALBOX, COROUTINES, PERMITS)
        val pool = own.copy(peer = Peer.BLPOP_POOL)
        val redisson = own.copy(peer = Peer.REDISSON_PERMIT)
        val one = bench.processes("1 ms away, one process", 1, listOf(own, own.inBlock(), pool, redisson), HOLD, way)
        val two = bench.processes("1 ms away, two processes", 2, listOf(own, own.inBlock(), pool), HOLD, way)

        fun shown(
            name: String,
            of: List<WindowRound>,
        ) = FigureLine.shown("P9", name, of.use(), digits = 1)

        fun mine(
            name: String,
            of: List<WindowRound>,
        ) = listOf(
            FigureLine.atLeast("P9", "${name}_percent_in_use", of.use(), TARGET),
            FigureLine.shown("P9", "${name}_mean_hold_ms", Summary.of(of.map { it.meanHoldMillis })),
        )
        mine("one_process", one.getValue(own)) + mine("one_process_block", one.getValue(own.inBlock())) +
            mine("two_processes", two.getValue(own)) + mine("two_processes_block", two.getValue(own.inBlock())) +
            shown("one_process_percent_in_use_blpop_pool", one.getValue(pool)) +
            shown("one_process_percent_in_use_redisson", one.getValue(redisson)) +
            shown("two_processes_percent_in_use_blpop_pool", two.getValue(pool)) +
            FigureLine.shown("P9", "proxy_round_trip_ms", roundTrip)
    }
}

private fun List<WindowRound>.use() = Summary.of(map { it.use * 100 })

/** Of a PING while nothing else goes on. */
private suspend fun roundTripMillis(uri: String): Summary =
    withContext(Dispatchers.IO) {
        val client = RedisClient.create(uri)
        try {
            val commands = client.connect().sync()
            val millis = List(100) {
                val start = System.nanoTime()
                commands.ping()
                (System.nanoTime() - start) / 1e6
            }
            Summary.of(millis.drop(20))
        } finally {
            client.shutdown(0, 0, TimeUnit.SECONDS)
        }
    }
