package io.signalbox.timers.internal.redis

import io.lettuce.core.protocol.CommandArgs
import io.signalbox.timers.internal.ledger.Change
import io.signalbox.timers.internal.ledger.Due
import io.signalbox.timers.internal.ledger.Settlement
import io.signalbox.timers.internal.ledger.Turn
import io.signalbox.timers.internal.ledger.Write
import io.signalbox.timers.internal.ledger.kind
import io.signalbox.timers.internal.ledger.runs

/** How requests are laid out as arguments; the counterpart of the headers of the scripts. */
internal object TimerArgs {
    private val NOTHING = ByteArray(0)

    fun CommandArgs<ByteArray, ByteArray>.addWrite(
        write: Write,
        announceInScript: Boolean,
    ): CommandArgs<ByteArray, ByteArray> {
        add(write.session).add(write.number).add(flag(announceInScript)).add(write.boundMillis).add(write.topics.size.toLong())
        add(flag(write.addsTimers))
        for (topic in write.topics) add(topic.topic.toByteArray()).add(topic.sets.size.toLong()).add(topic.changes.size.toLong())
        for (topic in write.topics) {
            for (timer in topic.sets) add(timer.id.toByteArray()).add(due(timer.due)).add(timer.record)
            for (change in topic.changes) addChange(change)
        }
        return this
    }

    private fun CommandArgs<ByteArray, ByteArray>.addChange(change: Change) {
        when (change) {
            is Change.Keep -> addChange("keep", change.id, due(change.due), change.record)
            is Change.RunNow -> addChange("now", change.id)
            is Change.PauseTopic -> addChange("halt", change.id)
            is Change.ResumeTopic -> addChange("go", change.id)
            is Change.Cancel -> addChange("cancel", change.id)
            is Change.Pause -> addChange("pause", change.id)
            is Change.Resume -> addChange("resume", change.id, due(change.due))
            is Change.Requeue -> addChange("requeue", change.id, due(change.due))
            is Change.Discard -> addChange("discard", change.id)
        }
    }

    private fun CommandArgs<ByteArray, ByteArray>.addChange(
        kind: String,
        id: String,
        due: String = "",
        record: ByteArray = NOTHING,
    ) {
        add(kind).add(id.toByteArray()).add(due).add(record)
    }

    fun CommandArgs<ByteArray, ByteArray>.addTurn(
        turn: Turn,
        announceInScript: Boolean,
    ): CommandArgs<ByteArray, ByteArray> {
        add(turn.session).add(turn.number).add(flag(announceInScript)).add(turn.boundMillis).add(turn.topics.size.toLong())
        add(turn.inbox.toByteArray()).add(turn.formerInbox.toByteArray()).add(turn.leaseMillis).add(turn.heartbeatMillis)
        add(turn.horizon).add(turn.capacity.toLong()).add(flag(turn.goodbye))
        add(if (turn.present) turn.topics.joinToString("\n") { it.topic }.toByteArray() else NOTHING)
        add(turn.mostDead.toLong()).add(turn.deadMillis)
        val runs = turn.topics.map { runs(it.settlements) }
        turn.topics.forEachIndexed { i, topic -> add(topic.limit.toLong()).add(topic.room.toLong()).add(runs[i].size.toLong()) }
        for (topic in runs) topic.forEach { addRun(it) }
        return this
    }

    private fun CommandArgs<ByteArray, ByteArray>.addRun(run: List<Settlement>) {
        add(run[0].kind).add(run[0].token).add(run.size.toLong())
        for (one in run) add(one.id.toByteArray())
        for (one in run) {
            when (one) {
                is Settlement.Retry -> add(due(one.due))
                is Settlement.Repeat -> add(due(one.due))
                is Settlement.Shelve -> add(one.shelf.code)
                is Settlement.Acknowledge, is Settlement.HandBack, is Settlement.Renew -> break
            }
        }
        for (one in run) {
            when {
                one is Settlement.Shelve -> add(one.reason.toByteArray())
                one is Settlement.Repeat && one.head != null -> add(one.head.toByteArray())
                else -> break
            }
        }
    }

    private fun due(due: Due): String = if (due.isSpan) "+${due.span}" else due.raw.toString()

    private fun flag(value: Boolean): Long = if (value) 1 else 0
}
