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
 * Every client adds its names when it joins, and whenever it renews their retention (`lua/keep.lua`), which takes away what nobody has
 * renewed. What is in it need not exist any more.
 */
internal class NameIndex(
    private val line: RedisLine,
    private val scope: CoroutineScope,
    name: String,
    val lifeMillis: Long,
) {
    val key: ByteArray = name.toByteArray()

    /** Whether this user has no right to it. */
    @Volatile
    var isRefused: Boolean = false

    /** What is written now is to be listed until then. */
    fun expiry(): Long = System.currentTimeMillis() + lifeMillis

    /** What was to be listed until before that nobody has renewed for long, whatever the clocks of others. */
    fun oldest(): Long = System.currentTimeMillis() - lifeMillis

    /** A hint: nothing depends on it, so nobody waits for it. */
    fun add(name: LedgerName) {
        scope.launch {
            try {
                number(CommandType.ZADD) { add(expiry()).add(member(name).toByteArray()) }
                // Others may have asked for a longer life.
                if (number(CommandType.PTTL) < lifeMillis) number(CommandType.PEXPIRE) { add(lifeMillis) }
            } catch (failure: LedgerFailure) {
                log.debug("Could not add {} to the list of names", name, failure.error)
            }
        }
    }

    /** Has [names] listed for another while, and removes those that nobody has renewed for long: what `lua/keep.lua` does where it can. */
    suspend fun keep(names: List<LedgerName>) {
        if (names.isNotEmpty()) {
            number(CommandType.ZADD) { for (name in names) add(expiry()).add(member(name).toByteArray()) }
            if (number(CommandType.PTTL) < lifeMillis) number(CommandType.PEXPIRE) { add(lifeMillis) }
        }
        number(CommandType.ZREMRANGEBYSCORE) { add("-inf").add(oldest()) }
    }

    /** Those of [kind], after the removal of those that nobody has renewed for long. */
    suspend fun names(kind: Kind): List<String> {
        number(CommandType.ZREMRANGEBYSCORE) { add("-inf").add(oldest()) }
        val members = line.ask(CommandType.ZRANGE, { ValueListOutput(ByteArrayCodec.INSTANCE) }) { addKey(key).add(0).add(-1) }
        val prefix = "${kind.tag}:"
        return members.mapNotNull { member: ByteArray? ->
            member?.let { String(it) }
        }.filter { it.startsWith(prefix) }.map { it.removePrefix(prefix) }
    }

    private suspend fun number(
        command: CommandType,
        arguments: Arguments.() -> Unit = {},
    ): Long =
        RedisLine.understood(null) {
            line.ask<Long?>(command, { IntegerOutput(ByteArrayCodec.INSTANCE) }) { addKey(key).arguments() }!!
        }

    companion object {
        private val log = LoggerFactory.getLogger(NameIndex::class.java)

        fun member(name: LedgerName): String = "${name.kind.tag}:${name.name}"
    }
}
