package io.signalbox.chaos.client

import io.signalbox.Signalbox
import io.signalbox.timers.Recurrence
import io.signalbox.timers.TimerCodec
import io.signalbox.timers.Timers
import io.signalbox.timers.Topic
import io.signalbox.timers.TopicSettings
import io.signalbox.timers.topic
import java.time.Instant
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay

/** What a timer carries: which setting of it this is, and how often its handler is to fail. */
internal class Alarm(
    val version: Int,
    val failures: Int = 0,
)

private object AlarmCodec : TimerCodec<Alarm> {
    override fun encode(payload: Alarm): ByteArray = "${payload.version} ${payload.failures}".encodeToByteArray()

    override fun decode(bytes: ByteArray): Alarm = bytes.decodeToString().split(' ').map(String::toInt).let { (version, failures) ->
        Alarm(version, failures)
    }
}

/** Go off once. */
internal val Once = topic("once", AlarmCodec)

/** Go off again and again. */
internal val Again = topic("again", AlarmCodec)

/** Their handlers never succeed. */
internal val Poison = topic("poison", AlarmCodec)

internal const val POISON_ATTEMPTS = 3
internal val PERIOD = 400.milliseconds

/** The timers of a client: it sets and handles them. */
internal class Alarms(
    val label: String,
    signalbox: Signalbox,
    private val journal: Journal,
) {
    private class Failure : RuntimeException("On purpose")

    val timers =
        Timers(signalbox) {
            concurrency = 16
            for (topic in listOf(Once, Again, Poison)) {
                val settings: TopicSettings.() -> Unit = {
                    attempts = if (topic === Poison) POISON_ATTEMPTS else 50
                    backoff = 20.milliseconds
                    backoffFactor = 1.0
                }
                on(topic, settings) { alarm ->
                    journal.say(What.HANDLING, attempt, id, alarm.version.toLong(), due.toEpochMilli(), attempt.toLong(), fencingToken)
                    // Some take their time, so that faults meet running handlers.
                    if (fencingToken % 20 == 0L) delay(100.milliseconds)
                    if (attempt <= alarm.failures) throw Failure()
                    journal.say(What.HANDLED, attempt, id, alarm.version.toLong(), due.toEpochMilli(), attempt.toLong(), fencingToken)
                }
            }
        }

    suspend fun handle(): Nothing = timers.run()
}

/** Sets timers, sets them anew, and cancels them. */
internal class AlarmSetter(
    private val worker: Int,
    private val alarms: Alarms,
    private val journal: Journal,
    private val random: Random,
) : Actor {
    private val timers = alarms.timers
    private var count = 0
    private val recurring = "${alarms.label}-$worker-again"
    private var recurs = false

    override suspend fun play() {
        delay(random.nextInt(40).milliseconds)
        if (!recurs && worker % 2 == 0) {
            journal.say(What.SCHEDULING, worker, recurring, 1)
            timers.scheduleRecurring(Again, recurring, Alarm(1), Recurrence.fixedRate(PERIOD))
            journal.say(What.SCHEDULED, worker, recurring, 1)
            recurs = true
            return
        }
        val id = "${alarms.label}-$worker-${count++}"
        if (random.nextInt(25) == 0) return schedule(Poison, "poison-$id", Alarm(1, Int.MAX_VALUE), random.nextInt(500).milliseconds)
        schedule(Once, id, Alarm(1, failures = if (random.nextInt(20) == 0) 2 else 0), random.nextInt(3000).milliseconds)
        when (random.nextInt(10)) {
            0 -> schedule(Once, id, Alarm(2), random.nextInt(1000).milliseconds)
            1 -> {
                journal.say(What.CANCELLING, worker, id)
                val wasThere = timers.cancel(Once, id)
                journal.say(What.CANCELLED, worker, id, if (wasThere) 1 else 0, serverTime())
            }
        }
    }

    private suspend fun schedule(
        topic: Topic<Alarm>,
        id: String,
        alarm: Alarm,
        after: Duration,
    ) {
        journal.say(What.SCHEDULING, worker, id, alarm.version.toLong())
        timers.schedule(topic, id, alarm, after)
        journal.say(What.SCHEDULED, worker, id, alarm.version.toLong(), serverTime())
    }

    /** In microseconds; by the wall clock, which is the server's unless it is bent. */
    private fun serverTime(): Long = Instant.now().let { it.epochSecond * 1_000_000 + it.nano / 1000 }
}
