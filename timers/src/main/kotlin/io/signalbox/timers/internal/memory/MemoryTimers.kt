package io.signalbox.timers.internal.memory

import io.signalbox.InMemoryStore
import io.signalbox.timers.internal.ledger.Part
import io.signalbox.timers.internal.ledger.Position
import io.signalbox.timers.internal.ledger.Scores
import io.signalbox.timers.internal.ledger.Stored
import io.signalbox.timers.internal.ledger.TimerLedger
import io.signalbox.timers.internal.ledger.Turn
import io.signalbox.timers.internal.ledger.TurnAnswer
import io.signalbox.timers.internal.ledger.Write
import io.signalbox.timers.internal.ledger.WriteAnswer
import java.time.Instant
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlinx.coroutines.yield

/** What the in-memory clients of one store share: the shards of one timer service, and who listens. Thread-safe. */
internal class MemoryTimers(
    private val store: InMemoryStore,
) : TimerLedger {
    private val lock = ReentrantLock()
    private val shards = HashMap<Int, ShardState>()
    private val listeners = ConcurrentHashMap<String, () -> Unit>()
    private var declared: Int? = null

    /** Lets others run first, as a round trip would. */
    private suspend fun <T> executed(
        shard: Int,
        request: ShardState.(micros: Long, woken: MutableList<Sleeper>) -> T,
    ): T {
        yield()
        val woken = ArrayList<Sleeper>()
        val answer = lock.withLock { shards.getOrPut(shard) { ShardState() }.request(store.micros(), woken) }
        woken.forEach { listeners[it.substringBefore(' ')]?.invoke() }
        return answer
    }

    override suspend fun write(
        shard: Int,
        write: Write,
    ): WriteAnswer = executed(shard) { micros, woken -> execute(write, micros, woken) }

    override suspend fun turn(
        shard: Int,
        turn: Turn,
    ): TurnAnswer = executed(shard) { micros, woken -> execute(turn, micros, woken) }

    override suspend fun get(
        shard: Int,
        topic: String,
        id: String,
    ): Stored? = executed(shard) { _, _ -> topics[topic]?.stored(id) }

    override suspend fun list(
        shard: Int,
        topic: String,
        part: Part,
        moments: LongRange,
        after: Position?,
        limit: Int,
    ): List<Stored> =
        executed(shard) { _, _ ->
            val state = topics[topic] ?: return@executed emptyList()
            val first = Scores.of(moments.first)
            val behind = after?.takeIf { it.moment >= first }
            state.part(part)
                .from(behind?.moment ?: first, behind?.id)
                .takeWhile { it.score < Scores.of(moments.last + 1) }
                .take(limit)
                .mapNotNull { state.stored(it.member) }
                .toList()
        }

    override suspend fun count(
        shard: Int,
        topic: String,
        part: Part,
    ): Long = executed(shard) { _, _ -> topics[topic]?.part(part)?.size?.toLong() ?: 0 }

    private fun TopicState.part(part: Part) =
        when (part) {
            Part.TIMELINE -> due
            Part.SHELF -> shelf
            Part.PAUSED -> paused
        }

    override suspend fun topics(shard: Int): Set<String> = executed(shard) { _, _ -> known.toSet() }

    override suspend fun pausedTopics(shard: Int): Set<String> = executed(shard) { _, _ -> paused.toSet() }

    override suspend fun handledTopics(shard: Int): Set<String> =
        executed(shard) { micros, _ -> workers.values.filter { it.until >= micros / 1000 }.flatMapTo(HashSet()) { it.topics } }

    override suspend fun declareShards(
        shards: Int,
        previous: Int?,
    ): Int =
        lock.withLock {
            if (declared == null || declared == previous) declared = shards
            declared!!
        }

    override val isSpread: Boolean get() = false

    override suspend fun now(shard: Int): Instant = Instant.ofEpochSecond(0, store.micros() * 1000)

    override fun inbox(): String = "memory"

    override fun listen(
        session: String,
        onWake: () -> Unit,
    ) {
        listeners[session] = onWake
    }

    override fun forget(session: String) {
        listeners.remove(session)
    }
}

internal fun TopicState.stored(id: String): Stored? {
    val record = records[id] ?: return null
    val moment = due[id] ?: shelf[id] ?: paused[id] ?: return null
    val mark = marks[id]
    return Stored(
        id,
        due = Scores.millis(mark?.due ?: moment),
        moment,
        mark?.attempts ?: 0,
        isClaimed = mark is Mark.Claimed && mark.token > 0,
        shelf = (mark as? Mark.Shelved)?.shelf,
        reason = (mark as? Mark.Shelved)?.reason.orEmpty(),
        record,
    )
}
