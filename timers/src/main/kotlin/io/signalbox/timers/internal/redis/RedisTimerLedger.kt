package io.signalbox.timers.internal.redis

import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.IntegerOutput
import io.lettuce.core.output.ValueListOutput
import io.lettuce.core.output.ValueOutput
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import io.signalbox.internal.redis.Announcements
import io.signalbox.internal.redis.RedisLine
import io.signalbox.internal.redis.Script
import io.signalbox.timers.internal.ledger.Position
import io.signalbox.timers.internal.ledger.Stored
import io.signalbox.timers.internal.ledger.TimerLedger
import io.signalbox.timers.internal.ledger.Turn
import io.signalbox.timers.internal.ledger.TurnAnswer
import io.signalbox.timers.internal.ledger.Write
import io.signalbox.timers.internal.ledger.WriteAnswer
import io.signalbox.timers.internal.redis.TimerArgs.addTurn
import io.signalbox.timers.internal.redis.TimerArgs.addWrite
import kotlin.time.Instant

/** Timers on a Redis or Valkey server: scripts over the client's [line], wake-ups through its announcements. */
internal class RedisTimerLedger(
    private val line: RedisLine,
    private val keys: TimerKeys,
    private val announceInScript: Boolean,
    private val scripts: TimerScripts = TimerScripts.production,
) : TimerLedger {
    override suspend fun write(
        shard: Int,
        write: Write,
    ): WriteAnswer {
        val allKeys = keys.ofShard(shard) + write.topics.flatMap { keys.ofTopic(shard, it.topic) }
        val reply = values(scripts.write, allKeys) { addWrite(write, announceInScript) }
        announce(TimerAnswers.announcements(reply, 1))
        return TimerAnswers.written(reply)
    }

    override suspend fun turn(
        shard: Int,
        turn: Turn,
    ): TurnAnswer {
        if (turn.inbox.isNotEmpty()) line.announcements.open()
        val allKeys = keys.ofShard(shard) + turn.topics.flatMap { keys.ofTopic(shard, it.topic) }
        val reply = values(scripts.turn, allKeys) { addTurn(turn, announceInScript) }
        val (answer, end) = TimerAnswers.turned(reply)
        announce(TimerAnswers.announcements(reply, end))
        return answer
    }

    /** Nobody waits for the outcome: a lost wake-up is made up for by the deputy. */
    private fun announce(pairs: List<List<ByteArray>>) {
        for ((inbox, text) in pairs) {
            line.send(scripts.announce, listOf(inbox), RedisLine.FIRST_DELIVERY, {
                IntegerOutput(ByteArrayCodec.INSTANCE)
            }, { add(text) }) { _, _ -> }
        }
    }

    override suspend fun get(
        shard: Int,
        topic: String,
        id: String,
    ): Stored? {
        val (due, payloads, marks, shelf) = keys.ofTopic(shard, topic)
        return TimerAnswers.stored(values(scripts.get, listOf(due, payloads, marks, shelf)) { add(id.toByteArray()) }).firstOrNull()
    }

    override suspend fun list(
        shard: Int,
        topic: String,
        shelved: Boolean,
        moments: LongRange,
        after: Position?,
        limit: Int,
    ): List<Stored> {
        val (due, payloads, marks, shelf) = keys.ofTopic(shard, topic)
        val reply =
            values(scripts.list, listOf(if (shelved) shelf else due, payloads, marks)) {
                val behind = after?.takeIf { it.moment >= moments.first }
                add(behind?.moment ?: moments.first).add(moments.last).add(limit.toLong()).add((behind?.id ?: "").toByteArray())
            }
        return TimerAnswers.stored(reply)
    }

    override suspend fun count(
        shard: Int,
        topic: String,
        shelved: Boolean,
    ): Long {
        val topicKeys = keys.ofTopic(shard, topic)
        val key = if (shelved) topicKeys[SHELF] else topicKeys[TIMELINE]
        return line.ask(CommandType.ZCARD, { IntegerOutput(ByteArrayCodec.INSTANCE) }) { addKey(key) }
    }

    override suspend fun topics(shard: Int): Set<String> =
        line
            .ask(CommandType.SMEMBERS, { ValueListOutput(ByteArrayCodec.INSTANCE) }) { addKey(keys.ofShard(shard)[2]) }
            .mapTo(HashSet()) { String(it) }

    override suspend fun handledTopics(shard: Int): Set<String> =
        values(scripts.handled, keys.ofShard(shard).take(2)) { }.flatMapTo(HashSet()) { String(it).split('\n') }

    override suspend fun declareShards(
        shards: Int,
        previous: Int?,
    ): Int =
        String(
            line.ask(scripts.shards, listOf(keys.meta()), { ValueOutput(ByteArrayCodec.INSTANCE) }) {
                add(shards.toLong()).add(previous?.toString() ?: "")
            },
        ).toInt()

    override suspend fun now(): Instant {
        val (seconds, micros) = line.ask(CommandType.TIME, { ValueListOutput(ByteArrayCodec.INSTANCE) }) { }.map { String(it).toLong() }
        return Instant.fromEpochSeconds(seconds, micros * 1000)
    }

    private suspend fun values(
        script: Script,
        keys: List<ByteArray>,
        arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
    ): List<ByteArray> = line.ask(script, keys, { ValueListOutput(ByteArrayCodec.INSTANCE) }, arguments)

    override fun inbox(): String = line.announcements.inbox

    override fun listen(
        session: String,
        onWake: () -> Unit,
    ) = line.announcements.register(
        session,
        object : Announcements.Recipient {
            override fun onLine(text: String) = onWake()

            override fun onInboxChanged() = onWake()
        },
    )

    override fun forget(session: String) = line.announcements.forget(session)

    private companion object {
        const val TIMELINE = 0
        const val SHELF = 3
    }
}
