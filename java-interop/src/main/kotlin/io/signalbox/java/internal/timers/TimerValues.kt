package io.signalbox.java.internal.timers

import io.signalbox.java.internal.java
import io.signalbox.java.timers.DeadTimer
import io.signalbox.java.timers.DeadTimerPage
import io.signalbox.java.timers.HandledTimers
import io.signalbox.java.timers.Recurrence
import io.signalbox.java.timers.Timer
import io.signalbox.java.timers.TimerEvent
import io.signalbox.java.timers.TimerPage
import io.signalbox.timers.DeadTimer as CoreDeadTimer
import io.signalbox.timers.DeadTimerPage as CoreDeadTimerPage
import io.signalbox.timers.HandledTimers as CoreHandledTimers
import io.signalbox.timers.Timer as CoreTimer
import io.signalbox.timers.TimerEvent as CoreTimerEvent
import io.signalbox.timers.TimerPage as CoreTimerPage
import java.time.Instant
import java.util.Optional

internal fun <T : Any> CoreTimer<T>.java(): Timer<T> = TimerView(this)

private class TimerView<T : Any>(
    private val core: CoreTimer<T>,
) : Timer<T> {
    override fun topic(): String = core.topic

    override fun id(): String = core.id

    override fun due(): Instant = core.due

    override fun next(): Instant = core.next

    override fun attempts(): Int = core.attempts

    override fun state(): Timer.State = Timer.State.valueOf(core.state.name)

    override fun recurrence(): Optional<Recurrence> = Optional.ofNullable(core.recurrence).map(::RecurrenceView)

    override fun metadata(): Map<String, String> = core.metadata

    override fun payload(): T = core.payload

    override fun toString(): String = core.toString()
}

private class DeadTimerView(
    private val core: CoreDeadTimer,
) : DeadTimer {
    override fun topic(): String = core.topic

    override fun id(): String = core.id

    override fun due(): Instant = core.due

    override fun since(): Instant = core.since

    override fun attempts(): Int = core.attempts

    override fun kind(): DeadTimer.Kind = DeadTimer.Kind.valueOf(core.kind.name)

    override fun reason(): String = core.reason

    override fun rawPayload(): ByteArray = core.rawPayload.clone()

    override fun toString(): String = core.toString()
}

internal fun <T : Any> CoreTimerPage<T>.java(): TimerPage<T> = TimerPage(timers.map { it.java() }, Optional.ofNullable(next))

internal fun CoreDeadTimerPage.java(): DeadTimerPage = DeadTimerPage(timers.map { DeadTimerView(it) }, Optional.ofNullable(next))

internal fun CoreHandledTimers.java(): HandledTimers = HandledTimers(succeeded, retried, parked, dead)

internal fun CoreTimerEvent.java(): TimerEvent {
    val due = due
    return when (this) {
        is CoreTimerEvent.Fired -> TimerEvent.Fired(topic, id, due, attempt, lag.java())
        is CoreTimerEvent.Succeeded -> TimerEvent.Succeeded(topic, id, due, attempt, took.java())
        is CoreTimerEvent.Retried -> TimerEvent.Retried(topic, id, due, attempt, after.java(), cause, Optional.ofNullable(took?.java()))
        is CoreTimerEvent.Parked -> TimerEvent.Parked(topic, id, due, attempt, cause)
        is CoreTimerEvent.Dead -> TimerEvent.Dead(topic, id, due, attempt, Optional.ofNullable(cause), Optional.ofNullable(took?.java()))
        is CoreTimerEvent.Superseded -> TimerEvent.Superseded(topic, id, due, attempt)
    }
}
