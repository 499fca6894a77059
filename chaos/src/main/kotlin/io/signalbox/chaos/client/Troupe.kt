package io.signalbox.chaos.client

import io.signalbox.InitStrategy
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.SignalboxException
import io.signalbox.internal.ledger.Kind
import io.signalbox.processes.FencedRegister
import java.util.concurrent.ConcurrentHashMap
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch

/** The coroutines of a client in an act. */
internal class Troupe(
    part: Part,
    private val signalbox: Signalbox,
    private val register: FencedRegister,
    private val journal: Journal,
) {
    private val job = SupervisorJob()
    private val scope = CoroutineScope(Dispatchers.Default + job)
    private val random = Random(part.seed)
    private val workers = mutableListOf<Job>()
    private val acts = ConcurrentHashMap<Int, String>()
    private val alarms = Alarms(part.label, signalbox, journal)

    @Volatile
    var stopping = false
        private set

    fun begin() {
        scope.launch { handleAlarms() }
        for (prize in Prize.entries) {
            repeat(prize.workers) { act(prize.title) { worker -> Contender(worker, prize, open(prize)) } }
        }
        for (bell in Bell.entries) {
            repeat(bell.setters) {
                act(bell.title) { worker -> Ringer(worker, signalbox.event(bell.title), journal, Random(random.nextLong())) }
            }
            repeat(bell.awaiters) {
                act(bell.title) { worker -> Listener(worker, signalbox.event(bell.title), journal, Random(random.nextLong())) }
            }
        }
        repeat(ALARM_SETTERS) { act("alarms") { worker -> AlarmSetter(worker, alarms, journal, Random(random.nextLong())) } }
    }

    /** Tells by [idle] when all have come to an end. */
    fun enough(idle: () -> Unit) {
        stopping = true
        scope.launch {
            workers.joinAll()
            idle()
        }
    }

    /** What those do that have not come to an end. */
    fun doing(): String = acts.toSortedMap().toString()

    suspend fun end() = job.cancelAndJoin()

    private suspend fun handleAlarms() {
        while (true) {
            try {
                alarms.handle()
            } catch (refused: SignalboxException) {
                // At its begin, as any call: a service would begin again, too.
                journal.say(What.FAILED, HANDLER, refused.javaClass.simpleName)
            } catch (cancelled: CancellationException) {
                if (!job.isActive) throw cancelled
                unexpected(HANDLER, cancelled)
            } catch (bug: Throwable) {
                unexpected(HANDLER, bug)
            }
            delay(random.nextInt(1, 15).milliseconds)
        }
    }

    private fun act(
        title: String,
        make: suspend (worker: Int) -> Actor,
    ) {
        val worker = workers.size
        acts[worker] = "$title: begins"
        workers +=
            scope.launch {
                var actor: Actor? = null
                while (!stopping) {
                    try {
                        if (actor == null) actor = make(worker)
                        acts[worker] = "$title: plays"
                        actor.play()
                    } catch (expected: SignalboxException) {
                        journal.say(What.FAILED, worker, expected.javaClass.simpleName)
                    } catch (cancelled: CancellationException) {
                        // Nobody cancels it but the end of all; what the library throws of itself is told.
                        if (!job.isActive) throw cancelled
                        unexpected(worker, cancelled)
                    } catch (bug: Throwable) {
                        unexpected(worker, bug)
                    }
                    delay(random.nextInt(1, 15).milliseconds)
                }
                actor?.leave()
                acts -= worker
            }
    }

    private fun unexpected(
        worker: Int,
        bug: Throwable,
    ) {
        journal.say(What.UNEXPECTED, worker, bug.javaClass.name)
        bug.printStackTrace()
    }

    private suspend fun open(prize: Prize): Grip =
        when (prize.kind) {
            Kind.MUTEX -> {
                val mutex = signalbox.mutex(prize.title) { maxHold = prize.maxHold }
                Grip.Of(mutex)
            }
            else -> {
                val semaphore =
                    signalbox.semaphore(prize.title, prize.permits) {
                        maxHold = prize.maxHold
                        if (prize.isPool) algorithm = SemaphoreAlgorithm.Pool(InitStrategy.entries.random(random))
                    }
                Grip.On(semaphore)
            }
        }

    private fun Contender(
        worker: Int,
        prize: Prize,
        grip: Grip,
    ) = Contender(worker, prize, grip, register.takeIf { prize.isFenced }, journal, Random(random.nextLong()))

    private companion object {
        const val ALARM_SETTERS = 4

        /** Beside the workers, who are counted from 0. */
        const val HANDLER = -1
    }
}

/** What one coroutine does, again and again. */
internal interface Actor {
    suspend fun play()

    /** Called once, at the end. */
    suspend fun leave() {}
}
