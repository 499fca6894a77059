package io.signalbox.timers.closing

import io.signalbox.Event
import io.signalbox.Mutex
import io.signalbox.Semaphore
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.testkit.FaultProxy
import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Recurrence
import io.signalbox.timers.TimerCodec
import io.signalbox.timers.Timers
import io.signalbox.timers.topic
import io.signalbox.use
import io.signalbox.withLock
import io.signalbox.withPermit
import java.util.UUID
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred

internal val Words =
    topic(
        "words",
        object : TimerCodec<String> {
            override fun encode(payload: String) = payload.toByteArray()

            override fun decode(bytes: ByteArray) = String(bytes)
        },
    )

/** What has become of the server when the client is closed. */
internal enum class ServerState { HEALTHY, KILLED, STOPPED, BLACK_HOLE }

/** What a call that has returned a value says about the server. */
internal enum class Says { NOTHING, DONE }

/** One kind of call, in flight when the client is closed. */
internal class Call(
    val name: String,
    /** Whether a value, other than `false` and `null`, says that the server has done something. */
    val says: Says = Says.DONE,
    val run: suspend () -> Any?,
)

/** A client of everything, and a server that [break] is done to. */
internal class Cell(
    private val state: ServerState,
) {
    private val owned: RedisProcess? =
        if (state == ServerState.KILLED || state == ServerState.STOPPED) RedisServer.start() else null
    private val redis: RedisServer = owned ?: RedisServer.shared()
    private val proxy = FaultProxy(redis)
    private val namespace = "closing-${UUID.randomUUID()}"
    val client: Signalbox =
        Signalbox.connect(redis.uri.replace(":${redis.port}", ":${proxy.port}")) {
            this.namespace = this@Cell.namespace
            storeTimeout = STORE_TIMEOUT
            lease = 12.seconds
        }

    fun breakServer() =
        when (state) {
            ServerState.HEALTHY -> Unit
            ServerState.KILLED -> owned!!.kill()
            ServerState.STOPPED -> owned!!.freeze()
            ServerState.BLACK_HOLE -> proxy.stall()
        }

    /** Another client of a server that is alive, past what stands in the way. */
    suspend fun <T> look(look: suspend (Signalbox, Timers) -> T): T {
        val other = Signalbox.connect(redis.uri) { this.namespace = this@Cell.namespace }
        return try {
            look(other, Timers(other) { declare(Words) })
        } finally {
            other.closeAndJoin()
        }
    }

    fun end() {
        if (state == ServerState.STOPPED) owned!!.thaw()
        proxy.close()
        owned?.close()
    }

    /** All calls, prepared: what they release is held, what they cancel is set. */
    suspend fun calls(): List<Call> =
        semaphore("semaphore", client.semaphore("semaphore", 3) { prepared() }) +
            semaphore(
                "pool",
                client.semaphore("pool", 3) {
                    prepared()
                    algorithm = SemaphoreAlgorithm.Pool()
                },
            ) +
            event(client.event("event"), client.event("unset")) +
            mutex(client.mutex("mutex")) + orders() + timers() + beginnings()

    private fun io.signalbox.SemaphoreSettings.prepared() {
        bounded = false
        maxHold = 10.minutes
    }

    private suspend fun semaphore(
        kind: String,
        semaphore: Semaphore,
    ): List<Call> {
        val (released, extended, blocked) = List(3) { semaphore.acquire() }
        val entered = CompletableDeferred<Unit>()
        return listOf(
            Call("$kind acquire") { semaphore.acquire() },
            Call("$kind acquire(timeout)") { semaphore.acquire(timeout = 1.hours) },
            Call("$kind tryAcquire(timeout)") { semaphore.tryAcquire(timeout = 1.hours) },
            Call("$kind withPermit") { semaphore.withPermit { } },
            Call("$kind release") { released.release() },
            Call("$kind extend") { extended.extend(5.minutes) },
            Call("$kind end of a block", Says.NOTHING) { blocked.use { entered.complete(Unit) } },
            Call("$kind addPermits") { semaphore.addPermits(1) },
            Call("$kind resize") { semaphore.resize(4) },
            Call("$kind redeclare") { semaphore.redeclare(4) },
            Call("$kind permits") { semaphore.permits() },
            Call("$kind snapshot") { semaphore.snapshot() },
        )
    }

    private suspend fun event(
        event: Event,
        unset: Event,
    ): List<Call> {
        event.set()
        return listOf(
            Call("event set") { event.set() },
            Call("event clear") { event.clear() },
            Call("event isSet", Says.NOTHING) { event.isSet() },
            Call("event await") { unset.await() },
            Call("event tryAwait") { unset.tryAwait(1.hours) },
        )
    }

    private suspend fun mutex(mutex: Mutex): List<Call> {
        val held = mutex.lock()
        return listOf(
            Call("mutex lock") { mutex.lock() },
            Call("mutex tryLock(timeout)") { mutex.tryLock(1.hours) },
            Call("mutex withLock") { mutex.withLock { } },
            Call("mutex release") { held.release() },
            Call("mutex owner") { mutex.owner() },
        )
    }

    /** What ends things for others. */
    private suspend fun orders(): List<Call> {
        val revoked = client.semaphore("revoked", 1)
        val token = revoked.acquire().fencingToken
        val (semaphore, mutex, event) =
            Triple(client.semaphore("deleted", 1), client.mutex("deleted"), client.event("deleted"))
        return listOf(
            Call("semaphore revoke") { revoked.revoke(token) },
            Call("semaphore delete") { semaphore.delete() },
            Call("mutex delete") { mutex.delete() },
            Call("event delete") { event.delete() },
        )
    }

    private suspend fun timers(): List<Call> {
        val timers = Timers(client) {
            declare(Words)
        }
        val worker = Timers(client) {
            name = "other"
            on(Words) { }
        }
        for (id in listOf("cancelled", "paused", "told", "read")) timers.schedule(Words, id, "x", after = 1.hours)
        timers.count(Words)
        worker.handleReady()
        return listOf(
            Call("timers schedule") { timers.schedule(Words, "set", "x", after = 1.hours) },
            Call("timers scheduleAll") { timers.scheduleAll(Words, listOf(NewTimer("all", "x", 1.hours))) },
            Call("timers scheduleRecurring") { timers.scheduleRecurring(Words, "recurring", "x", Recurrence.fixedRate(1.hours)) },
            Call("timers cancel") { timers.cancel(Words, "cancelled") },
            Call("timers pause") { timers.pause(Words, "paused") },
            Call("timers resume") { timers.resume(Words, "paused") },
            Call("timers runNow") { timers.runNow(Words, "told") },
            Call("timers pauseTopic") { timers.pauseTopic(Words) },
            Call("timers requeue") { timers.requeue("words", "dead", Duration.ZERO) },
            Call("timers discard") { timers.discard("words", "dead") },
            Call("timers get") { timers.get(Words, "read") },
            Call("timers list") { timers.list(Words) },
            Call("timers count") { timers.count(Words) },
            Call("timers deadTimers") { timers.deadTimers() },
            Call("timers run") { worker.run() },
            Call("timers handleReady") { worker.handleReady() },
        )
    }

    private fun beginnings(): List<Call> =
        listOf(
            Call("semaphore()") { client.semaphore("new semaphore", 1) },
            Call("pool") { client.semaphore("new pool", 1) { algorithm = SemaphoreAlgorithm.Pool() } },
            Call("mutex()") { client.mutex("new mutex") },
            Call("event()") { client.event("new event") },
            Call("attach()") { client.attach("nobody's", timeout = 1.hours) },
            Call("lazySemaphore()") { client.lazySemaphore("lazy semaphore", 1).acquire() },
            Call("lazy pool") { client.lazySemaphore("lazy pool", 1) { algorithm = SemaphoreAlgorithm.Pool() }.acquire() },
            Call("lazyMutex()") { client.lazyMutex("lazy mutex").lock() },
            Call("lazyEvent()") { client.lazyEvent("lazy event").set() },
            Call("ping()") { client.ping() },
            Call("statistics()") { client.statistics() },
            Call("Timers, first use") {
                Timers(client) {
                    name = "new"
                    declare(Words)
                }.count(Words)
            },
        )

    companion object {
        val STORE_TIMEOUT: Duration = 3.seconds
    }
}
