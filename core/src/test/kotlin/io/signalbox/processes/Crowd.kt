package io.signalbox.processes

import io.lettuce.core.RedisURI
import io.signalbox.SignalboxSettings
import io.signalbox.history.auditedScripts
import io.signalbox.internal.Connecting
import io.signalbox.internal.redis.RedisConnections
import io.signalbox.testkit.RedisProcess
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull

/** Client processes that are hit one after the other; the dead are replaced. */
internal class Crowd(
    private val redis: RedisProcess,
    private val random: Random,
) : AutoCloseable {
    private val nemesis = Nemesis(redis)
    private val clients = mutableListOf<Client>()
    private val hits = mutableListOf<Hit>()

    /**
     * Has them suffer [blows] blows, and go on until they have had [grants] permits if those were few; then ends them in peace, and waits
     * until every permit can be had again.
     */
    suspend fun run(
        blows: Int,
        grants: Int,
    ): Record {
        val begin = System.nanoTime()
        repeat(SIZE) { start() }
        clients.forEach(Client::awaitReady)
        for (blow in Blow.plan(blows, random, LONGEST_LEASE_MILLIS)) {
            val hit = nemesis.strike(blow, random) ?: continue
            hits += hit
            if (hit.kill) start()
            // Some blows fall together.
            if (random.nextInt(3) > 0) hit.over.get()
        }
        hits.forEach { it.over.get() }
        withTimeoutOrNull(300.seconds) { while (nemesis.releases < grants + UNSAID) delay(10.milliseconds) }
        val alive = clients - hits.filter { it.kill }.map { it.client }.toSet()
        alive.forEach(Client::awaitReady)
        alive.forEach(Client::stop)
        alive.forEach(Client::awaitEnd)
        acquireAll()
        return Record(clients, hits, seconds = (System.nanoTime() - begin) / 1_000_000_000)
    }

    private fun start() {
        val lease = listOf(500, 700, LONGEST_LEASE_MILLIS).random(random)
        clients += Client("client-${clients.size}", redis.uri, lease, random.nextLong(), nemesis::heard)
    }

    private suspend fun acquireAll() {
        val settings = SignalboxSettings().apply { label = "last" }
        val signalbox = Connecting.redis(settings, auditedScripts) { RedisConnections.own(RedisURI.create(redis.uri)) }
        for ((name, permits) in CONTENDED) {
            val semaphore = signalbox.semaphore(name, permits)
            val all = List(permits) { semaphore.acquire(timeout = 60.seconds) }
            all.forEach { it.release() }
        }
        signalbox.closeAndJoin()
    }

    override fun close() {
        nemesis.close()
        clients.forEach(Client::close)
    }

    private companion object {
        const val SIZE = 5
        const val LONGEST_LEASE_MILLIS = 1000

        /** More than were handed on by those who were killed before they could say so. */
        const val UNSAID = 500
    }
}
