package io.signalbox.internal.redis

import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.IntegerOutput
import io.lettuce.core.output.ValueListOutput
import io.lettuce.core.protocol.CommandType
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.LedgerName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import org.slf4j.LoggerFactory

/**
 * The names in use in a namespace, for whoever wants to list them: a sorted set of its own, because SCAN reads the whole server.
 *
 * Every client adds its names when it joins and whenever it renews their retention. What is in it need not exist any more.
 */
internal class NameIndex(
    private val line: RedisLine,
    private val scope: CoroutineScope,
    key: String,
    private val lifeMillis: Long,
) {
    private val key = key.toByteArray()

    /** A hint: nothing depends on it, so nobody waits for it. */
    fun add(name: LedgerName) {
        scope.launch {
            try {
                val expiry = System.currentTimeMillis() + lifeMillis
                number(CommandType.ZADD) { add(expiry).add("${name.kind.tag}:${name.name}".toByteArray()) }
                // Others may have asked for a longer life.
                if (number(CommandType.PTTL) < lifeMillis) number(CommandType.PEXPIRE) { add(lifeMillis) }
            } catch (failure: LedgerFailure) {
                log.debug("Could not add {} to the list of names", name, failure.error)
            }
        }
    }

    /** Those of [kind], after the removal of those that nobody has renewed for long. */
    suspend fun names(kind: Kind): List<String> {
        number(CommandType.ZREMRANGEBYSCORE) { add("-inf").add(System.currentTimeMillis() - lifeMillis) }
        val members = line.ask(CommandType.ZRANGE, { ValueListOutput(ByteArrayCodec.INSTANCE) }) { addKey(key).add(0).add(-1) }
        val prefix = "${kind.tag}:"
        return members.map { String(it) }.filter { it.startsWith(prefix) }.map { it.removePrefix(prefix) }
    }

    private suspend fun number(
        command: CommandType,
        arguments: Arguments.() -> Unit = {},
    ): Long = line.ask(command, { IntegerOutput(ByteArrayCodec.INSTANCE) }) { addKey(key).arguments() }

    private companion object {
        val log = LoggerFactory.getLogger(NameIndex::class.java)
    }
}
