package io.signalbox.benchmarks.scripts

import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.benchmarks.contender.Arena
import io.signalbox.benchmarks.contender.NoOpScriptContender
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.figure.FigureLine
import io.signalbox.benchmarks.measure.CheckFailure
import io.signalbox.benchmarks.measure.Summary
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext

/**
 * What kinds of exchange cost the server: microseconds per script, through the public API, one call at a time. In rounds, each of which
 * measures every kind.
 */
internal class ScriptPrices(
    private val uri: String,
    statistics: Statistics,
    private val rounds: Int,
    private val calls: Int = 200,
    private val batch: Int = 500,
    private val heartbeats: Duration = 2.seconds,
) {
    private val meter = Meter(statistics)
    private val arena = Arena(uri, "scripts", permits = 1, coroutines = 1, statistics)

    suspend fun measure(): List<FigureLine> =
        withContext(Dispatchers.Default) {
            NoOpScriptContender.open(arena).use { noOp ->
                Batches(uri).use { batches ->
                    HandOffs.open(uri, calls).use { handOffs ->
                        client(uri).use { client ->
                            val lone = client.semaphore("lone", permits = calls)
                            round(noOp, lone, batches, handOffs)
                            val prices = List(rounds) { round(noOp, lone, batches, handOffs) }
                            Kind.entries.map { kind -> kind.line(Summary.of(prices.map { it.getValue(kind) })) }
                        }
                    }
                }
            }
        }

    private suspend fun round(
        noOp: NoOpScriptContender,
        lone: Semaphore,
        batches: Batches,
        handOffs: HandOffs,
    ): Map<Kind, Double> {
        val held = mutableListOf<Permit>()
        val loneAcquire = each(Kind.LONE_ACQUIRE) { repeat(calls) { held += lone.acquire() } }
        return mapOf(
            Kind.NO_OP to each(Kind.NO_OP) { repeat(calls) { noOp.acquire() } },
            Kind.LONE_ACQUIRE to loneAcquire,
            Kind.LONE_RELEASE to each(Kind.LONE_RELEASE) { held.forEach { it.release() } },
            Kind.BATCH to batches.price(meter, batch, loneAcquire),
            Kind.HAND_OFF to handOffs.price { each(Kind.HAND_OFF, it) },
            Kind.HEARTBEAT to heartbeat(),
        )
    }

    private suspend fun each(
        kind: Kind,
        block: suspend () -> Unit,
    ) = meter.microsOf(kind.title, calls, block) / calls

    /** A client that holds permits and says nothing: what is heard of it are heartbeats. */
    private suspend fun heartbeat(): Double {
        val client = client(uri, lease = HEARTBEAT_LEASE)
        try {
            val held = List(calls) { client.semaphore("heartbeat-$it", permits = 1).acquire() }
            val spent = meter.spentIn { delay(heartbeats) }
            val lost = held.count { it.isLost }
            if (lost > 0 || spent.calls < calls / 2) {
                throw CheckFailure(
                    "${Kind.HEARTBEAT.title}: $calls holders called ${spent.calls} scripts, and $lost of them lost their permit.",
                )
            }
            return spent.micros.toDouble() / spent.calls
        } finally {
            // What it gives back is not to be taken for what the next one sends.
            client.closeAndJoin()
        }
    }

    private companion object {
        /** A third of it is the pause between the heartbeats of a semaphore. */
        val HEARTBEAT_LEASE = 3.seconds
    }
}
