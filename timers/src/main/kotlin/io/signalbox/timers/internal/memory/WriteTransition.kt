package io.signalbox.timers.internal.memory

import io.signalbox.timers.internal.ledger.Change
import io.signalbox.timers.internal.ledger.Scores
import io.signalbox.timers.internal.ledger.SetTimer
import io.signalbox.timers.internal.ledger.Shelf
import io.signalbox.timers.internal.ledger.Write
import io.signalbox.timers.internal.ledger.WriteAnswer

/** Executes [write] at [micros], and adds who is to be woken to [woken]. The counterpart of `write.lua`. */
internal fun ShardState.execute(
    write: Write,
    micros: Long,
    woken: MutableList<Sleeper>,
): WriteAnswer {
    val session = sessions[write.session]
    when {
        session == null && write.number != 1L -> return WriteAnswer.Lost
        session != null && write.number == session.number -> return session.written ?: WriteAnswer.Stale
        session != null && write.number < session.number -> return WriteAnswer.Stale
    }
    val results = ArrayList<Boolean>()
    val refused = ArrayList<Int>()
    var index = 0
    for (writes in write.topics) {
        val topic = topic(writes.topic)
        known.add(writes.topic)
        val earliest = Earliest()
        val places = Places(topic.due)
        val timers = ArrayList<Pair<SetTimer, Long>>()
        for (timer in writes.sets) {
            if (topic.recurs(timer.id)) {
                refused.add(index)
            } else {
                timers.add(Pair(timer, places.next(timer.due.at(micros).also(earliest::add))))
            }
            index++
        }
        for ((timer, place) in timers) topic.set(timer, place)
        for (change in writes.changes) {
            results +=
                when (change) {
                    Change.PauseTopic -> paused.add(writes.topic)
                    Change.ResumeTopic -> paused.remove(writes.topic) && topic.awaken(micros, earliest)
                    else -> topic.change(change, micros, earliest, places)
                }
        }
        earliest.moment?.let { topic.sleepers.secure(it, write.boundMillis, micros / 1000, woken) }
    }
    return WriteAnswer.Done(results, refused).also {
        sessions[write.session] = SessionState(write.number, it, turned = null, topics = emptyList())
    }
}

/** The earliest millisecond at which something was put on a timeline. */
internal class Earliest {
    var moment: Long? = null
        private set

    fun add(candidate: Long) {
        moment = minOf(candidate, moment ?: candidate)
    }
}

private fun TopicState.recurs(id: String) =
    marks[id] != null && records[id]?.let { it.isNotEmpty() && it[0].toInt().toChar() in "rR" } == true

private fun TopicState.set(
    timer: SetTimer,
    place: Long,
) {
    forget(timer.id)
    records[timer.id] = timer.record
    due[timer.id] = place
}

/** The places that one request gives away on the timeline [due]: each behind what is there. */
internal class Places(
    private val due: ScoreSet,
) {
    private val given = HashMap<Long, Long>()

    fun next(millis: Long): Long {
        val first = Scores.of(millis)
        val last = given[millis] ?: due.lastWithin(first, Scores.of(millis + 1))?.score
        return (if (last == null) first else Scores.behind(last)).also { given[millis] = it }
    }
}

/** Leaves nothing of the timer, and tells whether there was one. */
internal fun TopicState.forget(id: String): Boolean {
    due.remove(id)
    marks.remove(id)
    shelf.remove(id)
    paused.remove(id)
    return records.remove(id) != null
}

private fun TopicState.awaken(
    micros: Long,
    earliest: Earliest,
): Boolean {
    due.first()?.let { earliest.add(maxOf(Scores.millis(it.score), micros / 1000)) }
    return true
}

private fun TopicState.change(
    change: Change,
    micros: Long,
    earliest: Earliest,
    places: Places,
): Boolean {
    val id = change.id
    val mark = marks[id]
    val shelved = (mark as? Mark.Shelved)?.shelf
    when (change) {
        is Change.Keep -> {
            return keep(change, micros, earliest, places)
        }

        is Change.Cancel -> {
            return forget(id)
        }

        is Change.Pause -> {
            val moment = due[id] ?: return false
            due.remove(id)
            paused[id] = Scores.of(micros / 1000)
            marks[id] = Mark.Shelved(Shelf.PAUSED, attempts = 0, due = mark?.due ?: moment, reason = "")
            return true
        }

        is Change.RunNow -> {
            val moment = due[id] ?: return false
            if (mark is Mark.Claimed && mark.token > 0) return false
            if (Scores.millis(moment) > micros / 1000) due[id] = places.next((micros / 1000).also(earliest::add))
            return true
        }

        is Change.Resume -> {
            if (shelved != Shelf.PAUSED) return false
            putBack(id, places.next(change.due.at(micros).also(earliest::add)))
            return true
        }

        is Change.Requeue -> {
            if (shelved == null || shelved == Shelf.PAUSED) return false
            putBack(id, places.next(change.due.at(micros).also(earliest::add)))
            return true
        }

        is Change.Discard -> {
            return shelved != null && shelved != Shelf.PAUSED && forget(id)
        }

        Change.PauseTopic, Change.ResumeTopic -> {
            error("$change is no change of a timer")
        }
    }
}

/** What recurs as before keeps its schedule, whatever it carries now; what is paused stays paused. */
private fun TopicState.keep(
    change: Change.Keep,
    micros: Long,
    earliest: Earliest,
    places: Places,
): Boolean {
    val id = change.id
    val stored = records[id]?.takeIf { due[id] != null || shelf[id] != null || paused[id] != null }?.let { String(it, Charsets.ISO_8859_1) }
    val shelved = stored?.let { (marks[id] as? Mark.Shelved)?.shelf }
    val wanted = String(change.record, Charsets.ISO_8859_1)
    val recurrence = wanted.substring(1, wanted.indexOf('\n')).substringBefore('\t')
    val counted = stored?.takeIf { it[0] in "rR" }?.substringBefore('\n')?.drop(1)
    if (counted?.substringBefore('\t') == recurrence && shelved != Shelf.DEAD && shelved != Shelf.PARKED) {
        val merged = wanted[0] + counted + wanted.substring(wanted.indexOf('\n'))
        records[id] = merged.toByteArray(Charsets.ISO_8859_1)
        return merged != stored
    }
    records[id] = change.record
    if (shelved == Shelf.PAUSED) {
        marks[id] = Mark.Shelved(Shelf.PAUSED, attempts = 0, due = Scores.of(change.due.at(micros)), reason = "")
    } else {
        putBack(id, places.next(change.due.at(micros).also(earliest::add)))
    }
    return true
}

private fun TopicState.putBack(
    id: String,
    place: Long,
) {
    shelf.remove(id)
    paused.remove(id)
    marks[id] = Mark.Claimed(token = 0, attempts = 0, due = place)
    due[id] = place
}
