package io.signalbox.java.internal.timers

import io.signalbox.java.internal.kotlin
import io.signalbox.java.timers.DeadTimerPage
import io.signalbox.java.timers.HandledTimers
import io.signalbox.java.timers.NewTimer
import io.signalbox.java.timers.Recurrence
import io.signalbox.java.timers.Timer
import io.signalbox.java.timers.TimerPage
import io.signalbox.java.timers.TimerQuery
import io.signalbox.java.timers.Topic
import io.signalbox.timers.NewTimer as CoreNewTimer
import io.signalbox.timers.Timers as CoreTimers
import java.time.Duration
import java.time.Instant
import java.util.Optional
import kotlin.jvm.optionals.getOrNull

/** What both views ask, in the types of Java. */
internal class TimerRequests(
    private val core: CoreTimers,
) {
    suspend fun <T : Any> schedule(
        topic: Topic<T>,
        id: String,
        payload: T,
        after: Duration,
    ) = core.schedule(topic.core(), id, payload, after.kotlin())

    suspend fun <T : Any> schedule(
        topic: Topic<T>,
        id: String,
        payload: T,
        at: Instant,
    ) = core.schedule(topic.core(), id, payload, at)

    suspend fun <T : Any> schedule(
        topic: Topic<T>,
        timer: NewTimer<T>,
    ) {
        val after = timer.after().getOrNull()
        if (after != null) {
            core.schedule(topic.core(), timer.id(), timer.payload(), after.kotlin(), timer.metadata())
        } else {
            core.schedule(topic.core(), timer.id(), timer.payload(), timer.at().orElseThrow(), timer.metadata())
        }
    }

    suspend fun <T : Any> scheduleAll(
        topic: Topic<T>,
        timers: Collection<NewTimer<T>>,
    ) = core.scheduleAll(
        topic.core(),
        timers.map { timer ->
            val after = timer.after().getOrNull()
            if (after != null) {
                CoreNewTimer(timer.id(), timer.payload(), after.kotlin(), timer.metadata())
            } else {
                CoreNewTimer(timer.id(), timer.payload(), timer.at().orElseThrow(), timer.metadata())
            }
        },
    )

    suspend fun <T : Any> scheduleRecurring(
        topic: Topic<T>,
        id: String,
        payload: T,
        recurrence: Recurrence,
    ): Boolean = core.scheduleRecurring(topic.core(), id, payload, Recurrences.core(recurrence))

    suspend fun <T : Any> scheduleRecurring(
        topic: Topic<T>,
        id: String,
        payload: T,
        recurrence: Recurrence,
        first: Instant,
    ): Boolean = core.scheduleRecurring(topic.core(), id, payload, Recurrences.core(recurrence), first)

    suspend fun <T : Any> scheduleRecurring(
        topic: Topic<T>,
        id: String,
        payload: T,
        recurrence: Recurrence,
        metadata: Map<String, String>,
    ): Boolean = core.scheduleRecurring(topic.core(), id, payload, Recurrences.core(recurrence), metadata = metadata)

    suspend fun runNow(
        topic: Topic<*>,
        id: String,
    ): Boolean = core.runNow(topic.core(), id)

    suspend fun pauseTopic(topic: Topic<*>): Boolean = core.pauseTopic(topic.core())

    suspend fun resumeTopic(topic: Topic<*>): Boolean = core.resumeTopic(topic.core())

    suspend fun pausedTopics(): Set<String> = core.pausedTopics()

    suspend fun <T : Any> listPaused(
        topic: Topic<T>,
        query: TimerQuery,
    ): TimerPage<T> = core.listPaused(topic.core(), query.limit(), query.after().getOrNull()).java()

    suspend fun countPaused(topic: Topic<*>): Long = core.countPaused(topic.core())

    suspend fun cancel(
        topic: Topic<*>,
        id: String,
    ): Boolean = core.cancel(topic.core(), id)

    suspend fun pause(
        topic: Topic<*>,
        id: String,
    ): Boolean = core.pause(topic.core(), id)

    suspend fun resume(
        topic: Topic<*>,
        id: String,
    ): Boolean = core.resume(topic.core(), id)

    suspend fun <T : Any> get(
        topic: Topic<T>,
        id: String,
    ): Optional<Timer<T>> = Optional.ofNullable(core.get(topic.core(), id)?.java())

    suspend fun <T : Any> list(
        topic: Topic<T>,
        query: TimerQuery,
    ): TimerPage<T> {
        val from = query.from().getOrNull()
        val until = query.until().getOrNull()
        return core.list(topic.core(), from, until, query.limit(), query.after().getOrNull()).java()
    }

    suspend fun count(topic: Topic<*>): Long = core.count(topic.core())

    suspend fun deadTimers(query: TimerQuery): DeadTimerPage = core.deadTimers(null, query.limit(), query.after().getOrNull()).java()

    suspend fun deadTimers(
        topic: String,
        query: TimerQuery,
    ): DeadTimerPage = core.deadTimers(topic, query.limit(), query.after().getOrNull()).java()

    suspend fun requeue(
        topic: String,
        id: String,
        after: Duration,
    ): Boolean = core.requeue(topic, id, after.kotlin())

    suspend fun discard(
        topic: String,
        id: String,
    ): Boolean = core.discard(topic, id)

    suspend fun handleReady(): HandledTimers = core.handleReady().java()

    suspend fun now(): Instant = core.now()
}
