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
import io.signalbox.timers.internal.ledger.Part
import io.signalbox.timers.internal.ledger.Position
import io.signalbox.timers.internal.ledger.Scores
import io.signalbox.timers.internal.ledger.Stored
import io.signalbox.timers.internal.ledger.TimerLedger
import io.signalbox.timers.internal.ledger.Turn
import io.signalbox.timers.internal.ledger.TurnAnswer
import io.signalbox.timers.internal.ledger.Write
import io.signalbox.timers.internal.ledger.WriteAnswer
import io.signalbox.timers.internal.ledger.foreignFormat
import io.signalbox.timers.internal.redis.TimerArgs.addTurn
import io.signalbox.timers.internal.redis.TimerArgs.addWrite
import java.time.Instant

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
        return RedisLine.understood(reply) { TimerAnswers.written(reply) }
    }

    override suspend fun turn(
        shard: Int,
        turn: Turn,
    ): TurnAnswer {
        if (turn.inbox.isNotEmpty()) line.announcements.open()
        val allKeys = keys.ofShard(shard) + turn.topics.flatMap { keys.ofTopic(shard, it.topic) }
        val reply = values(scripts.turn, allKeys) { addTurn(turn, announceInScript) }
        val (answer, end) = RedisLine.understood(reply) { TimerAnswers.turned(reply) }
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
        val allKeys = listOf(keys.ofShard(shard)[0]) + keys.ofTopic(shard, topic).dropLast(1)
        return stored(values(scripts.get, allKeys) { add(id.toByteArray()).add(TimerKeys.FORMAT) }).firstOrNull()
    }

    override suspend fun list(
        shard: Int,
        topic: String,
        part: Part,
        moments: LongRange,
        after: Position?,
        limit: Int,
    ): List<Stored> {
        val topicKeys = keys.ofTopic(shard, topic)
        val allKeys = listOf(keys.ofShard(shard)[0], topicKeys[part.key], topicKeys[PAYLOADS], topicKeys[MARKS])
        val first = Scores.of(moments.first)
        val behind = after?.takeIf { it.moment >= first }
        val reply =
            values(scripts.list, allKeys) {
                add(behind?.moment ?: first).add(Scores.of(moments.last + 1)).add(limit.toLong()).add((behind?.id ?: "").toByteArray())
                add(TimerKeys.FORMAT)
            }
        return stored(reply)
    }

    private fun stored(reply: List<ByteArray>): List<Stored> = RedisLine.understood(reply) { TimerAnswers.stored(reply) }

    override suspend fun count(
        shard: Int,
        topic: String,
        part: Part,
    ): Long {
        val key = keys.ofTopic(shard, topic)[part.key]
        return RedisLine.understood(null) {
            line.ask<Long?>(CommandType.ZCARD, { IntegerOutput(ByteArrayCodec.INSTANCE) }) { addKey(key) }!!
        }
    }

    private val Part.key: Int
        get() =
            when (this) {
                Part.TIMELINE -> TIMELINE
                Part.SHELF -> SHELF
                Part.PAUSED -> PAUSED
            }

    override suspend fun topics(shard: Int): Set<String> =
        line
            .ask(CommandType.SMEMBERS, { ValueListOutput(ByteArrayCodec.INSTANCE) }) { addKey(keys.ofShard(shard)[2]) }
            .mapTo(HashSet()) { String(it) }

    override suspend fun pausedTopics(shard: Int): Set<String> {
        val paused: ByteArray? =
            line.ask(CommandType.HGET, { ValueOutput(ByteArrayCodec.INSTANCE) }) { addKey(keys.ofShard(shard)[0]).add("paused") }
        return paused?.let { String(it).split('\n').filterTo(HashSet(), String::isNotEmpty) } ?: emptySet()
    }

    override suspend fun handledTopics(shard: Int): Set<String> =
        values(scripts.handled, keys.ofShard(shard).take(2)) { }.flatMapTo(HashSet()) { String(it).split('\n') }

    override suspend fun declareShards(
        shards: Int,
        previous: Int?,
    ): Int {
        val reply =
            values(scripts.shards, listOf(keys.meta())) {
                add(shards.toLong()).add(previous?.toString() ?: "").add(TimerKeys.FORMAT)
            }
        return RedisLine.understood(reply) {
            val (stored, format) = reply.map { String(it) }
            if (format != TimerKeys.FORMAT) throw foreignFormat(format, TimerKeys.FORMAT)
            stored.toInt()
        }
    }

    override val isSpread: Boolean get() = line.isCluster

    override suspend fun now(shard: Int): Instant {
        val reply = line.ask(CommandType.TIME, { ValueListOutput(ByteArrayCodec.INSTANCE) }, at = keys.ofShard(shard)[0]) { }
        return RedisLine.understood(reply) {
            val (seconds, micros) = reply.map { String(it).toLong() }
            Instant.ofEpochSecond(seconds, micros * 1000)
        }
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
        const val PAYLOADS = 1
        const val MARKS = 2
        const val SHELF = 3
        const val PAUSED = 4
    }
}
