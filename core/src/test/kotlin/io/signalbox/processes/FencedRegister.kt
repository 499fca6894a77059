package io.signalbox.processes

import io.lettuce.core.RedisClient
import io.lettuce.core.ScriptOutputType
import io.signalbox.testkit.RedisServer
import kotlinx.coroutines.future.await

/**
 * What a mutex protects, done right: a value in Redis that refuses readers and writers with a token smaller than the largest it
 * has seen. The library has no part in it.
 */
internal class FencedRegister(
    client: RedisClient,
) {
    private val commands = client.connect().async()

    /** The value, or `null` if the token is too small. */
    suspend fun read(
        name: String,
        token: Long,
    ): Long? = run(name, token, "")

    /** False if the token is too small. */
    suspend fun write(
        name: String,
        token: Long,
        value: Long,
    ): Boolean = run(name, token, "$value") != null

    private suspend fun run(
        name: String,
        token: Long,
        value: String,
    ): Long? = commands.eval<Long>(SCRIPT, ScriptOutputType.INTEGER, arrayOf("register:$name"), "$token", value).await().takeIf { it >= 0 }

    companion object {
        /** Returns the value, or -1. Writes down what it accepts. */
        private val SCRIPT =
            """
            local token, value = tonumber(ARGV[1]), ARGV[2]
            if token < tonumber(redis.call('HGET', KEYS[1], 'token') or 0) then
              redis.call('HINCRBY', KEYS[1], 'refused', 1)
              return -1
            end
            redis.call('HSET', KEYS[1], 'token', ARGV[1])
            if value ~= '' then
              redis.call('HSET', KEYS[1], 'value', value)
              redis.call('RPUSH', KEYS[1] .. ':accepted', ARGV[1] .. ' ' .. value)
            end
            return tonumber(redis.call('HGET', KEYS[1], 'value') or 0)
            """.trimIndent()

        /** Token and value of every accepted write, in order. */
        fun accepted(
            redis: RedisServer,
            name: String,
        ): List<Pair<Long, Long>> =
            redis.command("LRANGE", "register:$name:accepted", "0", "-1").lines().filter(String::isNotEmpty).map { line ->
                line.split(' ').map(String::toLong).let { (token, value) -> token to value }
            }

        fun refused(
            redis: RedisServer,
            name: String,
        ): Int = redis.command("HGET", "register:$name", "refused").ifEmpty { "0" }.toInt()
    }
}
