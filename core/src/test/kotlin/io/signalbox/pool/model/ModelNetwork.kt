package io.signalbox.pool.model

import io.lettuce.core.protocol.CommandType
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.pool.Batch
import io.signalbox.internal.pool.PoolConnection
import io.signalbox.internal.pool.Replies
import kotlin.math.pow
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.delay

/** How often what goes wrong, as probabilities per request, and how late the late can be. */
internal class Weather(
    /** The connection breaks. */
    val cut: Double = 0.0,
    /** A request or an answer takes up to [longest]. */
    val stall: Double = 0.0,
    /** A transaction is carried out a second time, up to [longest] later. */
    val double: Double = 0.0,
    /** The server refuses a transaction as a whole. */
    val refuse: Double = 0.0,
    /** The server carries it out, and reports that one of its commands was refused. */
    val breakInside: Double = 0.0,
    /** One of the first two, or a process that stands still, befalls a message that is rare and decides much. */
    val ambush: Double = 0.0,
    /** If given, the ambushed are kept for about that long: a session does not hear of its first round, and judges hesitate. */
    val lease: Long = 0,
    val longest: Long = 0,
) {
    companion object {
        val CALM = Weather()
    }
}

/** What lies between the clients and the server: every request and every answer takes a while, or gets lost, or comes much later. */
internal class ModelNetwork(
    private val world: Simulation,
    val redis: ModelRedis,
    /** What a bug makes of the commands that leave. */
    private val spoil: (Batch.Request) -> Batch.Request = { it },
) {
    var weather = Weather.CALM

    /** So many answers from now on are not those of a Redis server. */
    var garbled = 0

    suspend fun connect(process: Process): PoolConnection {
        delay((if (world.chance(weather.ambush)) late() else latency()).nanoseconds)
        return Connection(process)
    }

    private fun latency() = world.nanos(LATENCY)

    /** Of any order of magnitude. */
    private fun late(): Long = (MILLI * (weather.longest.toDouble() / MILLI).pow(world.random.nextDouble())).toLong()

    /** Makes a session, judges one to be dead, or takes a slot out of the pool. */
    private fun isDecisive(request: Batch.Request): Boolean {
        val values = request.values
        return when (request.word) {
            CommandType.SET -> "PX" in values && "XX" !in values
            CommandType.ZADD -> "CH" in values || values.any { it is String && it.endsWith(".5") }
            else -> false
        }
    }

    /** Requests arrive in order, and so do replies. */
    inner class Connection(
        private val process: Process,
    ) : PoolConnection {
        override var isOpen = true
            private set
        override var lastReplyAt = world.now
            private set
        private val session = ModelRedis.Session()
        private val pending = LinkedHashSet<(LedgerFailure) -> Unit>()
        private var lastArrival = 0L
        private var lastReturn = 0L

        override fun transact(
            batch: Batch,
            done: (Replies?, LedgerFailure?) -> Unit,
        ) {
            val requests = batch.requests.map(spoil)
            val isFree = requests.none { it.word == CommandType.WATCH } && session.watched.isEmpty()
            if (isFree && world.chance(weather.double)) {
                val copy = ModelRedis.Session()
                world.after(late()) { redis.transact(copy, requests) }
            }
            requests.firstOrNull(::isDecisive)?.let { if (world.chance(weather.ambush)) ambush(it) }
            send(
                takes = if (batch.isTransaction) 0 else MILLI,
                execute = { answer ->
                    when {
                        !batch.isTransaction -> oneByOne(requests, answer)
                        garbled-- > 0 -> answer(redis.transact(session, requests)?.map { "?" }, null)
                        world.chance(weather.refuse) -> answer(null, refusal(inside = false))
                        world.chance(weather.breakInside) -> answer(redis.transact(session, requests), refusal(inside = true))
                        else -> answer(redis.transact(session, requests), null)
                    }
                },
                done = { values, failure -> done(values?.let(::Replies).takeIf { failure == null }, failure) },
            )
        }

        /** In the midst of what others say. A server at its memory limit takes it, while it refuses transactions. */
        private fun oneByOne(
            requests: List<Batch.Request>,
            answer: (List<Any?>?, LedgerFailure?) -> Unit,
        ) {
            val values = ArrayList<Any?>()
            requests.indices.map { world.nanos(0..MILLI) }.sorted().forEachIndexed { index, after ->
                world.after(after) {
                    values.addAll(redis.transact(session, listOf(requests[index])).orEmpty())
                    if (values.size == requests.size) answer(values, null)
                }
            }
        }

        override fun ask(
            request: Batch.Request,
            done: (List<Any?>?, LedgerFailure?) -> Unit,
        ) {
            send(execute = { answer -> redis.ask(session, request) { answer(it, null) } }, done = done)
        }

        private fun send(
            execute: (answer: (List<Any?>?, LedgerFailure?) -> Unit) -> Unit,
            done: (List<Any?>?, LedgerFailure?) -> Unit,
            takes: Long = 0,
        ) {
            var isDone = false
            val fail: (LedgerFailure) -> Unit = { failure ->
                if (!isDone) {
                    isDone = true
                    process.after(0) { done(null, failure) }
                }
            }
            if (!isOpen) return fail(broken())
            pending.add(fail)
            if (world.chance(weather.cut)) world.after(latency()) { cut() }
            lastArrival = maxOf(lastArrival, world.now + latency() + stalled + if (world.chance(weather.stall)) late() else 0)
            stalled = 0
            val arrival = lastArrival
            lastArrival += takes
            world.at(arrival) {
                // Of a connection that is gone, the server may still find what was sent before; or it may not.
                if (!session.isGone && (isOpen || !forgets)) {
                    execute { values, failure ->
                        lastReturn = maxOf(lastReturn, world.now + latency() + if (world.chance(weather.stall)) late() else 0)
                        world.at(lastReturn) {
                            if (isOpen) {
                                process.after(0) {
                                    if (isOpen && !isDone) {
                                        isDone = true
                                        pending.remove(fail)
                                        lastReplyAt = world.now
                                        done(values, failure)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }

        private var forgets = false

        /** How much longer than usual the next request takes. */
        private var stalled = 0L

        private fun ambush(request: Batch.Request) {
            if (weather.lease > 0) return ambushInTime(request)
            // As long as a lease or so, or of any length.
            val nanos = if (world.chance(0.5)) world.nanos(0..weather.longest / 2) else late()
            when (world.random.nextInt(5)) {
                0 -> stalled = nanos

                1 -> world.after(latency()) { cut() }

                2 -> process.freeze(nanos)

                else -> loseAnswer(nanos)
            }
        }

        private fun ambushInTime(request: Batch.Request) {
            when {
                request.word == CommandType.SET -> loseAnswer(world.nanos(weather.lease * 7 / 8..weather.lease * 5 / 4))

                "CH" in request.values -> stalled = world.nanos(0..weather.lease / 2)

                else -> {
                    stalled = world.nanos(weather.lease..4 * weather.lease)
                    process.freeze(stalled)
                }
            }
        }

        /** It arrives, the answer is lost, and the process hears of that [nanos] later. */
        private fun loseAnswer(nanos: Long) {
            world.after(LATENCY.last) { close() }
            process.freeze(nanos)
        }

        private fun cut() {
            if (isOpen) process.after(0) { close() }
        }

        override fun close() {
            if (!isOpen) return
            isOpen = false
            forgets = world.chance(0.5)
            // The server hears of it at once, or when it has waited long enough for the other side.
            world.after(if (world.chance(0.5)) latency() else world.nanos(0..LATENCY.last + weather.longest)) {
                if (lastArrival <= world.now) redis.disconnect(session) else world.at(lastArrival + 1) { redis.disconnect(session) }
            }
            pending.toList().forEach { it(broken()) }
            pending.clear()
        }
    }

    private fun broken() = LedgerFailure(IllegalStateException("The connection broke."), executed = true, final = false)

    private fun refusal(inside: Boolean) =
        LedgerFailure(StoreUnavailableException("The server refuses the request: NOPERM."), executed = inside, final = true)

    private companion object {
        val LATENCY = 50_000L..2_000_000L
    }
}
