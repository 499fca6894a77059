package io.signalbox.benchmarks.scripts

import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.Signalbox
import io.signalbox.benchmarks.contender.Arena
import io.signalbox.benchmarks.contender.NoOpScriptContender
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.figure.FigureLine
import io.signalbox.benchmarks.measure.CheckFailure
import io.signalbox.benchmarks.measure.Summary
import io.signalbox.testkit.FaultProxy
import java.net.URI
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
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
                ThroughProxy(uri).use { batches ->
                    TwoClients.open(uri, calls).use { clients ->
                        round(noOp, batches, clients)
                        val prices = List(rounds) { round(noOp, batches, clients) }
                        Kind.entries.map { kind -> kind.line(Summary.of(prices.map { it.getValue(kind) })) }
                    }
                }
            }
        }

    private suspend fun round(
        noOp: NoOpScriptContender,
        batches: ThroughProxy,
        clients: TwoClients,
    ): Map<Kind, Double> {
        val lone = mutableListOf<Permit>()
        val loneAcquire = each(Kind.LONE_ACQUIRE) { repeat(calls) { lone += clients.lone.acquire() } }
        return mapOf(
            Kind.NO_OP to each(Kind.NO_OP) { repeat(calls) { noOp.acquire() } },
            Kind.LONE_ACQUIRE to loneAcquire,
            Kind.LONE_RELEASE to each(Kind.LONE_RELEASE) { lone.forEach { it.release() } },
            Kind.BATCH to batches.price(meter, batch, loneAcquire),
            Kind.HAND_OFF to clients.handOffs { each(Kind.HAND_OFF, it) },
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
            if (lost > 0 || spent.calls < calls) {
                throw CheckFailure("${Kind.HEARTBEAT.title}: $calls holders called ${spent.calls} scripts, and $lost of them lost their permit.")
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

/** The kinds of exchange, with the most that they may take where that is promised. */
private enum class Kind(
    val title: String,
    val target: Double?,
) {
    NO_OP("no-op", null),
    LONE_ACQUIRE("lone-acquire", 10.0),
    LONE_RELEASE("lone-release", 10.0),
    BATCH("batch-of-500", 10.0),
    HAND_OFF("hand-off", null),
    HEARTBEAT("heartbeat", 10.0),
    ;

    fun line(price: Summary): FigureLine =
        if (target == null) {
            FigureLine.shown("script", "$title us", price, digits = 1)
        } else {
            FigureLine.atMost("script", "$title us", price, target, digits = 1)
        }
}

/** With a lease so long that no heartbeat comes between, unless one is given. */
private fun client(
    uri: String,
    lease: Duration = 12.hours,
) = Signalbox.connect(uri) {
    namespace = "bench-scripts"
    this.lease = lease
    retention = 12.hours
}

/** A client whose exchanges can be held back on their way, so that what is said meanwhile goes into one. */
private class ThroughProxy(
    uri: String,
) : AutoCloseable {
    private val proxy = URI(uri).let { FaultProxy(it.host, it.port) }
    private val client = client("redis://${proxy.host}:${proxy.port}")

    /** An exchange of so many acquires: what it and the lone acquire cost that it waited for, without the latter. */
    suspend fun price(
        meter: Meter,
        batch: Int,
        loneAcquire: Double,
    ): Double {
        val semaphore = client.semaphore("batch", permits = batch + 1)
        lateinit var permits: List<Permit>
        val micros = meter.microsOf("batch", calls = 2) {
            coroutineScope {
                proxy.holdRequests()
                val first = acquiring(semaphore)
                withContext(Dispatchers.IO) { proxy.awaitHeldRequest("EVALSHA") }
                val others = List(batch) { acquiring(semaphore) }
                proxy.releaseRequests()
                permits = listOf(first.await()) + others.awaitAll()
            }
        }
        permits.forEach { it.release() }
        return micros - loneAcquire
    }

    override fun close() {
        client.close()
        proxy.close()
    }
}

/** Two clients of as many semaphores as hand-offs are to be measured, so that nothing but hand-offs need be said meanwhile. */
private class TwoClients private constructor(
    private val clients: List<Signalbox>,
    val lone: Semaphore,
    private val semaphores: List<Pair<Semaphore, Semaphore>>,
) : AutoCloseable {
    /** Calls [measured] with a block in which the first client gives every permit to the second, one after the other. */
    suspend fun handOffs(measured: suspend (handOffs: suspend () -> Unit) -> Double): Double =
        coroutineScope {
            val held = semaphores.map { (first, _) -> first.acquire() }
            val waiting = semaphores.map { (_, second) -> acquiring(second) }
            semaphores.forEach { (first, _) -> while (first.snapshot(limit = 1).queueLength == 0) delay(1.milliseconds) }
            val micros = measured {
                held.zip(waiting) { permit, waiter ->
                    permit.release()
                    waiter.await()
                }
            }
            waiting.awaitAll().forEach { it.release() }
            micros
        }

    override fun close() = clients.forEach { it.close() }

    companion object {
        suspend fun open(
            uri: String,
            calls: Int,
        ): TwoClients {
            val (first, second) = List(2) { client(uri) }
            val pairs =
                List(calls) { first.semaphore("hand-off-$it", permits = 1) to second.semaphore("hand-off-$it", permits = 1) }
            return TwoClients(listOf(first, second), first.semaphore("lone", permits = calls), pairs)
        }
    }
}

/** Has asked when this returns. */
private fun CoroutineScope.acquiring(semaphore: Semaphore): Deferred<Permit> =
    async(start = CoroutineStart.UNDISPATCHED) { semaphore.acquire() }
