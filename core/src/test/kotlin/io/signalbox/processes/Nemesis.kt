package io.signalbox.processes

import io.signalbox.fault.StoredSemaphore
import io.signalbox.testkit.RedisServer
import java.time.Instant
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference
import kotlin.random.Random

/** Where a victim is to be when it is hit. */
internal enum class Aim { QUEUED, UNAWARE, HOLDING, RELEASING }

/** One blow: a kill, or a freeze for [frozenMillis]; an aim at the unaware freezes first and kills then. */
internal class Blow(
    val aim: Aim,
    val kill: Boolean,
    val frozenMillis: Int,
) {
    companion object {
        /** [count] blows, half of them kills, every aim as often as every other, in an order that depends on [random]. */
        fun plan(
            count: Int,
            random: Random,
            leaseMillis: Int,
        ): List<Blow> =
            List(count) { index ->
                val frozen = random.nextInt(leaseMillis / 5, leaseMillis * 2)
                Blow(Aim.entries[index / 2 % Aim.entries.size], kill = index % 2 == 0, frozen)
            }.shuffled(random)
    }
}

/** What became of a blow. */
internal class Hit(
    val client: Client,
    val kill: Boolean,
    /** By the monotonic clock. Of a kill just before it, of a freeze just after. */
    val nanos: Long,
    /** By the wall clock, which is the server's too. */
    val micros: Long,
) {
    /** Done when the victim is dead, or frozen no more; with the moment, by the wall clock. */
    val over = CompletableFuture<Long>()
}

/** Hits clients at the moment they say, or the server shows, that they are where a blow is aimed at. */
internal class Nemesis(
    private val redis: RedisServer,
) : AutoCloseable {
    private class Shot(
        val phase: Phase,
        val random: Random,
        val action: (Client) -> Hit,
    ) {
        val hit = CompletableFuture<Hit>()
    }

    /** How often a client has begun to release. */
    val releases: Int get() = released.get()

    private val released = AtomicInteger()
    private val timer = Executors.newSingleThreadScheduledExecutor()
    private val armed = AtomicReference<Shot?>()

    /** To be called with all that clients say, by the thread that hears it first. */
    fun heard(
        client: Client,
        line: ClientLine,
    ) {
        if (line.what == "releasing") released.incrementAndGet()
        val shot = armed.get() ?: return
        // Not always the first one to say something: else the busiest client is the only victim.
        if (client.isTarget || phaseOf(line.what) != shot.phase || shot.random.nextInt(3) > 0 || !armed.compareAndSet(shot, null)) return
        client.isTarget = true
        shot.hit.complete(shot.action(client))
    }

    /** Strikes, and returns when the victim is dead, or frozen. Null if no victim came along in time. */
    fun strike(
        blow: Blow,
        random: Random,
    ): Hit? {
        val viaFreeze = !blow.kill || blow.aim == Aim.UNAWARE
        val shot = Shot(phase(blow.aim), random) { if (viaFreeze) freeze(it) else kill(it) }
        armed.set(shot)
        val hit =
            try {
                shot.hit.get(PATIENCE_SECONDS, TimeUnit.SECONDS)
            } catch (_: TimeoutException) {
                if (armed.compareAndSet(shot, null)) return null
                shot.hit.get()
            }
        if (!viaFreeze) return hit
        if (blow.kill) {
            awaitUnawareGrant(hit.client, hit.nanos + TimeUnit.MILLISECONDS.toNanos(blow.frozenMillis.toLong()))
            return kill(hit.client)
        }
        timer.schedule({ thaw(hit) }, blow.frozenMillis.toLong(), TimeUnit.MILLISECONDS)
        return hit
    }

    private fun phase(aim: Aim): Phase =
        when (aim) {
            Aim.QUEUED, Aim.UNAWARE -> Phase.QUEUED
            Aim.HOLDING -> Phase.HOLDING
            Aim.RELEASING -> Phase.RELEASING
        }

    private fun kill(client: Client): Hit {
        val hit = Hit(client, kill = true, System.nanoTime(), wallMicros())
        client.kill()
        hit.over.complete(wallMicros())
        return hit
    }

    private fun freeze(client: Client): Hit {
        client.freeze()
        return Hit(client, kill = false, System.nanoTime(), wallMicros())
    }

    private fun thaw(hit: Hit) {
        val until = wallMicros()
        hit.client.thaw()
        hit.client.isTarget = false
        hit.over.complete(until)
    }

    /** Waits until a permit was given to the frozen [client], which cannot know it. */
    private fun awaitUnawareGrant(
        client: Client,
        deadline: Long,
    ) {
        val before = CONTENDED.keys.associateWith { givenTo(client, it) }
        while (System.nanoTime() < deadline) if (before.any { (name, given) -> givenTo(client, name) > given }) return
    }

    private fun givenTo(
        client: Client,
        name: String,
    ): Long = StoredSemaphore(redis, name).run { records.filterKeys { labelOf(it) == client.label }.values.sumOf { it[1] } }

    private fun wallMicros(): Long = Instant.now().let { it.epochSecond * 1_000_000 + it.nano / 1000 }

    override fun close() {
        timer.shutdownNow()
    }

    private companion object {
        const val PATIENCE_SECONDS = 60L
    }
}
