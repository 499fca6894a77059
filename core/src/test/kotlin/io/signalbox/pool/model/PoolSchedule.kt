package io.signalbox.pool.model

import io.signalbox.InitStrategy
import io.signalbox.SignalboxException
import io.signalbox.internal.pool.PoolPermit
import io.signalbox.internal.pool.PoolRules
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/**
 * One life of a pool, all of it drawn from [seed]: some clients with leases of their own acquire, hold, give up, release and resize, while
 * connections break, stall and double what they carry, and processes stand still for longer than a lease, or die. Then the weather clears,
 * and everything must be as if nothing had been.
 */
internal class PoolSchedule(
    private val seed: Long,
    private val bug: PoolBug = PoolBug.NONE,
    kind: Kind? = null,
) {
    private val world = Simulation(seed)
    private val kind = Kind.entries.random(world.random).let { kind ?: it }
    private val redis = ModelRedis(world)
    private val network = ModelNetwork(world, redis, bug.spoil)
    private val check = PoolCheck(world)
    private val clients = ArrayList<ModelClient>()
    private val calls = ArrayList<Call>()
    private val isAmbushed = this.kind == Kind.AMBUSHES || this.kind == Kind.VERDICTS
    private val longest = 3 * LEASES.last() * MILLI
    private var failure: Throwable? = null

    val grants: Int get() = check.grants
    val executed get() = redis.executed

    /** One user's coroutine. */
    private class Call(
        val client: ModelClient,
        val what: String,
        var isDone: Boolean = false,
    )

    /** Throws what went wrong. */
    fun play() {
        redis.onCount = check::counts
        val isTight = kind != Kind.MIXED && kind != Kind.HASTE
        val permits = world.random.nextInt(1, if (isTight) 3 else 4)
        repeat(if (isTight) 3 else world.random.nextInt(2, 4)) { clients += client() }
        clients.forEach { client -> user(client, "join") { client.join(permits) } }
        await("joining", 60 * SECOND)
        network.weather = weather()
        val span = world.nanos(SECOND..6 * SECOND)
        for (client in clients) repeat(world.random.nextInt(1, 5)) { work(client, permits, span) }
        val resizes = if (kind == Kind.RESIZES) world.random.nextInt(3, 12) else world.random.nextInt(0, 4)
        val together = world.nanos(0..span)
        repeat(resizes) { number ->
            val moment = if (world.chance(0.3)) together + world.nanos(0..5 * MILLI) else world.nanos(0..span)
            // Often to and fro, so that what is late meets a pool that looks as before.
            val to = if (kind == Kind.RESIZES && world.chance(0.8)) 1 + 2 * (number % 2) else world.random.nextInt(1, 4)
            resize(clients.random(world.random), to, if (kind == Kind.RESIZES) span * number / resizes else moment)
        }
        repeat(world.random.nextInt(0, 4)) { freeze(clients.random(world.random), span) }
        repeat(world.random.nextInt(0, 2)) { kill(clients.random(world.random), span) }
        world.run(world.now + span) { failure != null }
        network.weather = Weather.CALM
        await("every call", 200 * SECOND)
        // What is late has arrived by then.
        world.run(world.now + 2 * longest) { failure != null }
        finish()
        failure?.let { throw it }
    }

    /** What a schedule has most of. */
    enum class Kind { MIXED, AMBUSHES, VERDICTS, HASTE, RESIZES, REFUSALS }

    private fun client() = ModelClient(world, network, lease(), STRATEGIES.random(world.random), bug.rules)

    private fun lease() = if (kind == Kind.VERDICTS || kind == Kind.RESIZES) LEASES.first() else LEASES.random(world.random)

    private fun weather(): Weather {
        fun some(most: Double) = if (world.chance(0.4)) world.random.nextDouble() * most else 0.0
        return when (kind) {
            Kind.MIXED -> Weather(some(0.1), some(0.2), some(0.3), some(0.05), some(0.1), some(0.6), longest)
            Kind.AMBUSHES, Kind.RESIZES -> Weather(
                some(0.02),
                some(0.02),
                ambush = 0.2 + world.random.nextDouble() * 0.6,
                lease = if (kind == Kind.RESIZES && world.chance(0.5)) LEASES.first() * MILLI else 0,
                longest = longest,
            )
            Kind.VERDICTS -> Weather(some(0.01), some(0.02), ambush = 0.5, lease = LEASES.first() * MILLI, longest = longest)
            Kind.REFUSALS -> Weather(cut = 0.02, double = 0.6, breakInside = 0.15, refuse = some(0.1), longest = 500 * MILLI)
            Kind.HASTE -> Weather(stall = 0.4, longest = 100 * MILLI)
        }
    }

    private fun await(
        what: String,
        nanos: Long,
    ) {
        val limit = world.now + nanos
        world.run(limit) { failure != null || calls.all { it.isDone || it.client.process.isDead } }
        failure?.let { throw it }
        check.require(world.now < limit) {
            "$what has not ended: ${calls.filter { !it.isDone && !it.client.process.isDead }.map { it.what }}"
        }
        val open = calls.filter { !it.isDone && !it.client.process.isDead }
        check.require(open.isEmpty()) { "$what has not ended: ${open.map { it.what }}" }
    }

    // ---- what happens ------------------------------------------------------------------------------------------------------

    private fun user(
        client: ModelClient,
        what: String,
        block: suspend () -> Unit,
    ) {
        val call = Call(client, what).also(calls::add)
        client.users.launch {
            try {
                block()
            } catch (_: SignalboxException) {
                // An outage, told as one.
            } catch (_: IllegalArgumentException) {
                // More permits than there are after a resize.
            } catch (problem: Throwable) {
                failure = failure ?: problem
            } finally {
                call.isDone = true
            }
        }
    }

    private fun work(
        client: ModelClient,
        permits: Int,
        span: Long,
    ) {
        val start = world.nanos(0..span)
        val hurries = kind == Kind.HASTE
        val weight = if (world.chance(0.8)) 1 else world.random.nextInt(1, permits + 1)
        val holds =
            world.nanos(0..(if (hurries) 20 * MILLI else 2 * SECOND)) * (if (isAmbushed) 1 else world.random.nextInt(0, 2))
        val rounds = if (hurries) 12 else world.random.nextInt(1, 8)
        val limit = if (world.chance(if (hurries) 0.7 else 0.4)) world.nanos(0..(if (hurries) 30 * MILLI else 400 * MILLI)) else 0
        // Long enough for a session to end, if it has nothing to hold.
        val rests = if (!hurries && world.chance(if (isAmbushed) 0.7 else 0.4)) world.nanos(0..3 * SECOND) else 0
        user(client, "acquire($weight)") {
            delay((if (hurries) start / 100 else start).nanoseconds)
            repeat(rounds) {
                val permit = acquire(client, weight, limit)
                if (permit != null) {
                    if (holds > 0) delay(holds.nanoseconds)
                    permit.release()
                }
                if (rests > 0) delay(rests.nanoseconds)
            }
        }
    }

    /** [limit]: 0 for waiting as long as it takes. */
    private suspend fun acquire(
        client: ModelClient,
        weight: Int,
        limit: Long,
    ): PoolPermit? {
        val since = world.now
        var permit: PoolPermit? = null
        if (limit == 0L) {
            permit = usable(client, weight, waits = true)
        } else {
            withTimeoutOrNull(limit.nanoseconds) { permit = usable(client, weight, waits = limit % 3 > 0) }
        }
        return permit?.also { check.granted(it, since) }
    }

    /** As the handle does it: what was lost before its coroutine went on is not handed out. */
    private suspend fun usable(
        client: ModelClient,
        weight: Int,
        waits: Boolean,
    ): PoolPermit? {
        while (true) {
            val permit = client.coordinator.acquire(weight, waits)
            if (permit == null || !permit.isLost) return permit
        }
    }

    private fun resize(
        client: ModelClient,
        permits: Int,
        start: Long,
    ) {
        user(client, "resize($permits)") {
            delay(start.nanoseconds)
            client.coordinator.resize(permits)
        }
    }

    private fun freeze(
        client: ModelClient,
        span: Long,
    ) {
        val most = if (world.chance(0.5)) longest else 50 * MILLI
        world.after(world.nanos(0..span)) { client.process.freeze(world.nanos(0..most)) }
    }

    private fun kill(
        client: ModelClient,
        span: Long,
    ) {
        world.after(world.nanos(0..span)) { if (clients.count { !it.process.isDead } > 1) client.kill() }
    }

    // ---- the end -----------------------------------------------------------------------------------------------------------

    /** All permits can be had, by somebody new, and not one more; even by one who never asks for long. */
    private fun finish() {
        calls.clear()
        val last = ModelClient(world, network, leaseMillis = 60_000, InitStrategy.SETNX, bug.rules)
        var taken = 0
        val from = world.now
        user(last, "the last") {
            last.join(-1)
            val permits = last.coordinator.permits()
            val got = ArrayList<PoolPermit>()
            while (got.size < permits) {
                // Not so often that a look begins with every one of them.
                acquire(last, 1, limit = world.nanos(20 * MILLI..60 * MILLI) / 3 * 3 + 1)?.let(got::add)
                delay(world.nanos(0..100 * MILLI).nanoseconds)
            }
            taken = got.size
            check.require(world.now - from < LEASES.last() * MILLI + 10 * SECOND) {
                "the dead held their permits for ${(world.now - from) / SECOND} s"
            }
            check.require(last.coordinator.acquire(1, waits = false) == null) { "there are more than $permits permits" }
            got.forEach { check.require(it.release()) { "a permit of the last was lost" } }
        }
        await("the last acquire", 120 * SECOND)
    }

    companion object {
        private val LEASES = listOf(500L, 1_000L, 2_000L)
        private val STRATEGIES = listOf(InitStrategy.SETNX, InitStrategy.OPTIMISTIC_LOCKING)
    }
}
