package io.signalbox.ledger.turns

import io.signalbox.Observation
import io.signalbox.SignalboxClosedException
import io.signalbox.SignalboxListener
import io.signalbox.internal.ClientTime
import io.signalbox.internal.Observers
import io.signalbox.internal.coordination.ClientSession
import io.signalbox.internal.coordination.ClientState
import io.signalbox.internal.coordination.Cohort
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.HeldPermit
import io.signalbox.internal.coordination.NanoClock
import io.signalbox.internal.coordination.SemaphoreCoordinator
import io.signalbox.internal.coordination.Waiter
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import kotlin.random.Random
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestDispatcher

/** A process of a [Simulation]: a real coordinator, and coroutines that acquire and release. */
internal class SimulatedClient(
    val simulation: Simulation,
    val number: Int,
    time: TestDispatcher,
    network: CoroutineScope,
    weather: Weather,
    random: Random,
    handle: HandleSettings,
    bug: LineBug?,
) {
    private val process = PausableDispatcher(time)
    private val scope = CoroutineScope(process + SupervisorJob() + simulation.failures)
    private val settings =
        CoordinationSettings(
            "client $number",
            Simulation.LEASE_MILLIS,
            retentionMillis = 3_600_000,
            storeTimeoutMillis = 40_000,
            ClientTime.of(process),
            Random(random.nextLong()),
        )
    val line = LossyLine(simulation, weather, random, network, scope, settings.patienceNanos / CoordinationSettings.NANOS, bug)
    private val observers = Observers().apply {
        add(
            object : SignalboxListener {
                override fun onGranted(granted: Observation.Granted) = simulation.started(this@SimulatedClient, granted.fencingToken)
            },
        )
    }
    private val coordinator =
        SemaphoreCoordinator(
            LedgerName(Kind.SEMAPHORE, "simulated"),
            line,
            ClientIdentity(),
            settings,
            NanoClock { simulation.nanos },
            scope,
            observers,
            elsewhere = { task -> scope.launch { task.run() } },
            // With a handle it rests when there is nothing to do.
        ).also { it.handle = it }
    private val state: ClientState = coordinator.inside("state")

    /** Acquires that have not ended, and what they were granted. */
    val waiting = LinkedHashSet<Job>()
    val held = ArrayList<HeldPermit>()
    var hasJoined = false
        private set
    val isDead: Boolean get() = process.isDead

    init {
        scope.launch {
            while (!hasJoined) {
                try {
                    hasJoined = coordinator.join(handle)
                } catch (problem: Exception) {
                    if (problem is CancellationException) throw problem
                }
            }
        }
    }

    // ---- what it does ------------------------------------------------------------------------------------------------------

    fun acquire(
        weight: Int = 1,
        waits: Boolean = true,
    ) {
        lateinit var job: Job
        job =
            scope.launch {
                try {
                    coordinator.acquire(weight, waits)?.let { held += it }
                } catch (problem: Exception) {
                    if (problem is CancellationException) throw problem
                } finally {
                    waiting -= job
                }
            }
        if (!job.isCompleted) waiting += job
    }

    fun cancel(random: Random) {
        waiting.randomOrNull(random)?.let {
            waiting -= it
            it.cancel()
        }
    }

    fun release(random: Random) {
        val permit = held.randomOrNull(random) ?: return
        held -= permit
        if (random.nextBoolean()) permit.letGo() else scope.launch { releaseUntilClosed(permit) }
    }

    private suspend fun releaseUntilClosed(permit: HeldPermit) {
        try {
            permit.release()
        } catch (_: SignalboxClosedException) {
            // It says goodbye, and nobody knows whether that was heard.
        }
    }

    fun resize(permits: Int) {
        scope.launch {
            try {
                coordinator.ask(Command.Resize(permits))
            } catch (problem: Exception) {
                if (problem is CancellationException) throw problem
            }
        }
    }

    fun pause(on: Boolean) {
        process.isPaused = on
    }

    val isPaused: Boolean get() = process.isPaused

    fun crash() {
        process.isDead = true
        scope.cancel()
    }

    /** The process stays until it has said goodbye. */
    fun leave() {
        coordinator.close()
    }

    // ---- what can be seen of it --------------------------------------------------------------------------------------------

    /** Its session as long as it may believe in it. */
    val session: ClientSession? get() = if (isDead) null else state.session?.takeIf { it.deadline > simulation.nanos }

    val running: Int get() = session?.run { cohort.running + listed.toList().sumOf { it.permits } } ?: 0

    /** Who waits in [session] and has not given up, by sequence number. */
    fun waiters(session: ClientSession): List<Waiter> {
        val line: ArrayDeque<Waiter> = session.cohort.inside("line")
        val sent = state.inFlight.flatMap { it.waiters }.filter { it.state == Waiter.State.SENT }
        return (line.filter { it.state == Waiter.State.ADMITTED } + sent + session.waiting.values).sortedBy { it.sequence }
    }

    val isIdle: Boolean get() = isDead ||
        (waiting.isEmpty() && held.isEmpty() && state.outbox.isEmpty && state.inFlight.isEmpty() && !state.isEngaged)

    override fun toString(): String =
        "client $number: ${session?.let { s ->
            "${s.id.substringAfter('.')} ${s.cohort.inspect()} waiting ${s.waiting.size}"
        }}, ${waiting.size} acquires, ${held.size} held, in flight ${state.inFlight.map {
            it.exchange.number
        }}, outbox ${state.outbox.acquires.size}, ${if (state.opening) "opening" else "not opening"}, last ${state.lastProblem}"

    private fun Cohort.inspect() = "G$given R${words.returned} K$admitted P${words.passed} X${words.dropped} runs $running"
}

/** What only its own class sees. */
@Suppress("UNCHECKED_CAST")
internal fun <T> Any.inside(field: String): T =
    javaClass.getDeclaredField(field).apply { isAccessible = true }.get(this) as T
