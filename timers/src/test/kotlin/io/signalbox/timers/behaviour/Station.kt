package io.signalbox.timers.behaviour

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.shouldBe
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.timers.TimerScope
import io.signalbox.timers.Timers
import io.signalbox.timers.TimersSettings
import io.signalbox.timers.minus
import io.signalbox.timers.plus
import io.signalbox.timers.topic
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.serialization.Serializable

@Serializable
data class Note(val text: String)

val Notes = topic<Note>("notes")
val Others = topic<Note>("others")

/** What a handler was given. */
data class Handled(val topic: String, val id: String, val text: String, val attempt: Int, val due: Instant, val token: Long)

/** The handlers' context: what was handled, in order. */
class Log {
    val handled = Channel<Handled>(Channel.UNLIMITED)

    suspend fun next(): Handled = withTimeout(PATIENCE) { handled.receive() }

    fun nothingMore() = handled.tryReceive().getOrNull() shouldBe null
}

fun TimerScope<Log>.note(payload: Note) {
    context.handled.trySend(Handled(topic, id, payload.text, attempt, due, fencingToken))
}

/** The services of one store for the time of one test. */
class Station(
    private val store: Store,
    scope: CoroutineScope,
) : CoroutineScope by scope {
    val log = Log()
    private val clients = mutableListOf<Signalbox>()

    /** Another client of the store, as in another process. */
    fun client(configure: SignalboxSettings.() -> Unit = {}): Signalbox = store.connect(configure).also { clients += it }

    /**
     * A service in a client of its own.
     *
     * Its claims outlast every test: however long a machine stands still, no timer comes twice because its claim has lapsed, and a worker
     * that was not woken when it should have been fails its test. What is about lapsing sets [TimersSettings.takeoverAfter].
     */
    fun service(
        client: Signalbox = client(),
        configure: TimersSettings<Log>.() -> Unit,
    ): Timers =
        Timers(client, log) {
            takeoverAfter = 1.hours
            configure()
        }

    /** A service that writes down what it handles of [Notes]. */
    fun notes(configure: TimersSettings<Log>.() -> Unit = {}): Timers =
        service {
            on(Notes, handler = { note(it) })
            configure()
        }

    fun Timers.start(): Job = launch { run() }

    suspend fun close() {
        withContext(NonCancellable + Dispatchers.Default) { withTimeout(PATIENCE) { clients.forEach { launch { it.closeAndJoin() } } } }
    }
}

/**
 * What timers do, whatever store they are in. The expectations are in the files of this package, one concept each, as functions that add
 * their tests.
 */
abstract class TimersBehaviour(
    private val backend: Backend,
    private val isPlayed: Boolean = true,
) : io.kotest.core.spec.style.FunSpec() {
    init {
        setting()
        handling()
        settling()
        failing()
        parking()
        recurring()
        limiting()
        listing()
        takingOver()
        draining()
        observing()
        sharding()
        enduring()
        ordering()
        deploying()
        expected()
    }

    /** A test with an empty store of its own. */
    fun behaviour(
        name: String,
        body: suspend Station.() -> Unit,
    ) {
        if (!isPlayed) return
        test(name) {
            val scope = CoroutineScope(Dispatchers.Default + SupervisorJob())
            val station = Station(backend.emptyStore(), scope)
            try {
                withContext(Dispatchers.Default) { withTimeout(PATIENCE) { station.body() } }
            } finally {
                scope.cancel()
                station.close()
            }
        }
    }
}

class InMemoryTimersSpec : TimersBehaviour(InMemory)

class RedisTimersSpec : TimersBehaviour(redis())

/** As on a server that refuses keys which a script has not declared. */
class UndeclaredKeysTimersSpec : TimersBehaviour(redis { announceInScript = false })

class ClusterTimersSpec : TimersBehaviour(Cluster, isPlayed = isFullRun)

class SentinelTimersSpec : TimersBehaviour(Sentinel, isPlayed = isFullRun)

/** Far more than anything here takes, so that a slow machine fails nothing. */
val PATIENCE: Duration = 60.seconds

/** A short time ahead. Nothing may depend on what is over by then, or is not. */
val SOON: Duration = 50.milliseconds

/**
 * What becomes true without anybody saying when. That a handler ran does not mean that its timer is gone already: the worker tells the
 * store after that.
 */
suspend fun <T> soon(assertion: suspend () -> T): T = eventually(PATIENCE) { assertion() }
