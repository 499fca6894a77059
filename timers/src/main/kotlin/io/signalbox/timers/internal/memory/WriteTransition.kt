package io.signalbox.timers.internal.memory

import io.signalbox.timers.internal.ledger.Change
import io.signalbox.timers.internal.ledger.Shelf
import io.signalbox.timers.internal.ledger.TopicWrite
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
    for (writes in write.topics) {
        val topic = topic(writes.topic)
        known.add(writes.topic)
        val earliest = Earliest()
        topic.set(writes, micros, earliest)
        writes.changes.mapTo(results) { topic.change(it, micros, earliest) }
        earliest.moment?.let { topic.sleepers.secure(it, write.boundMillis, micros / 1000, woken) }
    }
    return WriteAnswer.Done(results).also {
        sessions[write.session] = SessionState(write.number, it, turned = null, topics = emptyList())
    }
}

/** The earliest moment that was put on a timeline. */
internal class Earliest {
    var moment: Long? = null
        private set

    fun add(candidate: Long) {
        moment = minOf(candidate, moment ?: candidate)
    }
}

private fun TopicState.set(
    writes: TopicWrite,
    micros: Long,
    earliest: Earliest,
) {
    for (timer in writes.sets) {
        forget(timer.id)
        records[timer.id] = timer.record
        due[timer.id] = timer.due.at(micros).also(earliest::add)
    }
}

/** Leaves nothing of the timer, and tells whether there was one. */
internal fun TopicState.forget(id: String): Boolean {
    due.remove(id)
    marks.remove(id)
    shelf.remove(id)
    return records.remove(id) != null
}

private fun TopicState.change(
    change: Change,
    micros: Long,
    earliest: Earliest,
): Boolean {
    val id = change.id
    val mark = marks[id]
    val shelved = (mark as? Mark.Shelved)?.shelf
    when (change) {
        is Change.Keep -> {
            if (records[id]?.contentEquals(change.record) == true) return false
            forget(id)
            records[id] = change.record
            due[id] = change.due.at(micros).also(earliest::add)
            return true
        }

        is Change.Cancel -> {
            return forget(id)
        }

        is Change.Pause -> {
            val moment = due[id] ?: return false
            due.remove(id)
            shelf[id] = micros / 1000
            marks[id] = Mark.Shelved(Shelf.PAUSED, attempts = 0, due = mark?.due ?: moment, reason = "")
            return true
        }

        is Change.Resume -> {
            if (shelved != Shelf.PAUSED) return false
            putBack(id, change.due.at(micros).also(earliest::add))
            return true
        }

        is Change.Requeue -> {
            if (shelved == null || shelved == Shelf.PAUSED) return false
            putBack(id, change.due.at(micros).also(earliest::add))
            return true
        }

        is Change.Discard -> {
            return shelved != null && shelved != Shelf.PAUSED && forget(id)
        }
    }
}

private fun TopicState.putBack(
    id: String,
    moment: Long,
) {
    shelf.remove(id)
    marks.remove(id)
    due[id] = moment
}
