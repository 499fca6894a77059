package io.signalbox.timers.internal.worker

import io.signalbox.timers.internal.Records
import io.signalbox.timers.internal.ledger.Change
import io.signalbox.timers.internal.ledger.Settlement
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import org.slf4j.LoggerFactory

/**
 * Brings recurring timers to the shard that they belong to since the number of shards was changed, each when an occurrence of it is over.
 *
 * The next occurrence is set there first, unless the timer is there already, and then this one is settled. If the worker dies between the two
 * it is handled once more, and finds its successor there.
 *
 * @param home the shard of a topic and an id.
 * @param keep sets a timer in a shard, and suspends until it is set.
 */
internal class Mover(
    private val scope: CoroutineScope,
    private val home: (topic: String, id: String) -> Int,
    private val keep: suspend (shard: Int, topic: String, keep: Change.Keep) -> Unit,
) {
    /** False if [one] belongs to [shard]. Else [moved] is called with what is to be said of it there instead of [repeat]. */
    fun move(
        shard: Int,
        one: Running,
        repeat: Settlement.Repeat,
        moved: (Settlement) -> Unit,
    ): Boolean {
        val topic = one.lane.name
        val target = home(topic, repeat.id)
        if (target == shard) return false
        one.isMoving = true
        scope.launch {
            val settlement =
                try {
                    keep(target, topic, Change.Keep(repeat.id, repeat.due, Records.withHead(one.claim.record, repeat.head)))
                    Settlement.Acknowledge(repeat.id, one.token)
                } catch (stop: CancellationException) {
                    throw stop
                } catch (problem: Exception) {
                    log.debug("Timer '{}' of topic '{}' was not moved to shard {}", repeat.id, topic, target, problem)
                    // With its next occurrence, then.
                    repeat
                }
            moved(settlement)
        }
        return true
    }

    private companion object {
        val log = LoggerFactory.getLogger(Mover::class.java)
    }
}
