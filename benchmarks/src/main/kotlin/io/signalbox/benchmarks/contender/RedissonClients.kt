package io.signalbox.benchmarks.contender

import java.util.concurrent.TimeUnit
import org.redisson.Redisson
import org.redisson.api.RedissonClient
import org.redisson.client.codec.StringCodec
import org.redisson.config.Config

/** Redisson at its best here: the cheapest codec, and connections enough that no coroutine waits for one. */
internal fun redisson(uri: String): RedissonClient {
    val config = Config()
    config.codec = StringCodec.INSTANCE
    config
        .useSingleServer()
        .setAddress(uri)
        .setConnectionPoolSize(64)
        .setConnectionMinimumIdleSize(24)
        .setSubscriptionConnectionPoolSize(50)
        .setTimeout(30_000)
    return Redisson.create(config)
}

internal fun RedissonClient.end() = shutdown(0, 2, TimeUnit.SECONDS)
