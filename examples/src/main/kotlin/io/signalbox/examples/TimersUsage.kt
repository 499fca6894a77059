package io.signalbox.examples

import io.signalbox.Signalbox
import io.signalbox.timers.Recurrence
import io.signalbox.timers.TimerEvent
import io.signalbox.timers.TimerListener
import io.signalbox.timers.TimerMetadata
import io.signalbox.timers.Timers
import io.signalbox.timers.rawTopic
import io.signalbox.timers.timerRouter
import io.signalbox.timers.topic
import java.time.Instant
import java.time.ZoneId
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.serialization.Serializable

class App(val send: suspend (text: String) -> Unit)

// region timerTopics
@Serializable
data class Reminder(val message: String)

val Reminders = topic<Reminder>("reminders")

val router =
    timerRouter<App> {
        on(Reminders) { reminder -> context.send(reminder.message) } // this: id, topic, due, attempt, context
    }
// endregion

/** What docs/timers.md shows; `ReadmeTest` keeps the two the same. */
suspend fun CoroutineScope.timersUsage(
    signalbox: Signalbox,
    app: App,
    count: (name: String) -> Unit,
) {
    // region timerService
    val timers = Timers(signalbox, context = app) { include(router) }

    timers.schedule(Reminders, id = "42", Reminder("call back"), after = 5.minutes) // the same id again replaces it
    timers.cancel(Reminders, "42") // true: there was one

    val worker = launch { timers.run() } // until cancelled; or timers.handleReady() for one pass
    // endregion

    // region timerRetry
    val careful =
        timerRouter<App> {
            on(Reminders, {
                attempts = 8 // then it is dead: visible, requeueable
                backoff = 2.seconds // doubles each time, varied by a fifth
                timeout = 30.seconds // then the handler is cancelled, and the attempt has failed
                concurrency = 4 // of this topic in this process
            }) { reminder -> context.send(reminder.message) }
        }
    // endregion

    // region timerDead
    for (dead in timers.deadTimers().timers) {
        println("${dead.topic} ${dead.id}: ${dead.kind}, ${dead.reason}")
        timers.requeue(dead.topic, dead.id) // or discard
    }
    // endregion

    // region timerDeadLimits
    val bounded =
        Timers(signalbox, context = app) {
            include(router)
            deadTimersPerTopic = 10_000 // of more the oldest go, with a warning that says how many
            deadTimersFor = 30.days
        }
    // endregion

    // region timerDropped
    val dropped = rawTopic("newsletters") // payloads are the bytes that are stored; lists come in pages
    for (timer in timers.list(dropped).timers) timers.cancel(dropped, timer.id)
    for (dead in timers.deadTimers(dropped.name).timers) timers.discard(dropped.name, dead.id)
    // endregion

    // region timerRecurring
    timers.scheduleRecurring(Reminders, "stand-up", Reminder("stand-up"), Recurrence.cron("45 9 * * MON-FRI", ZoneId.of("Europe/Berlin")))
    timers.scheduleRecurring(Reminders, "poll", Reminder("poll"), Recurrence.fixedRate(1.minutes))
    timers.pause(Reminders, "poll")
    timers.resume(Reminders, "poll")
    // endregion

    // region timerLimits
    val report = Recurrence.cron("0 6 L * ?", ZoneId.of("Europe/Berlin")) // the last day of each month
    timers.scheduleRecurring(Reminders, "report", Reminder("report"), report.until(Instant.parse("2030-01-01T00:00:00Z")))
    timers.scheduleRecurring(Reminders, "thrice", Reminder("again"), Recurrence.fixedRate(1.minutes).times(3))
    timers.runNow(Reminders, "report") // once more, at once; its schedule stays as it is
    // endregion

    // region timerPausing
    timers.pauseTopic(Reminders) // nobody takes any, until
    timers.resumeTopic(Reminders)
    println("${timers.countPaused(Reminders)} timers are paused one by one: ${timers.listPaused(Reminders).timers}")
    // endregion

    // region timerMetadata
    withContext(TimerMetadata(mapOf("tenant" to "acme"))) {
        timers.schedule(Reminders, "42", Reminder("call back"), after = 5.minutes, metadata = mapOf("correlation" to "7f3a"))
    }
    // endregion

    // region timerInterceptor
    val tenants =
        Timers(signalbox, context = app) {
            include(router)
            intercept { timer, proceed ->
                println("for ${timer.metadata["tenant"]}")
                proceed()
            }
        }
    // endregion

    // region timerLimit
    val mails = signalbox.semaphore("mails", permits = 10)
    val limited =
        timerRouter<App> {
            on(Reminders, { semaphore = mails }) { reminder -> context.send(reminder.message) } // at most 10, in all processes
        }
    // endregion

    // region timerMetrics
    val observed =
        Timers(signalbox, context = app) {
            include(router)
            listener = TimerListener { event -> count("timers.${event::class.simpleName}") }
        }
    launch { timers.events.collect { if (it is TimerEvent.Dead) println("dead: $it") } }
    println("late by ${timers.lag().getValueAtPercentile(99.0)} us at the 99th percentile")
    // endregion
    println("$bounded $careful $limited $observed $tenants")
    worker.cancel()
}
