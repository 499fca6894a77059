package io.signalbox.behaviour

import io.lettuce.core.RedisClient
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.testkit.RedisServer
import java.time.Duration

/** As for servers that refuse undeclared keys: the clients announce grants themselves. And on a Lettuce client of the user's. */
class BorrowedRedisSemaphoreSpec : SemaphoreBehaviour(BorrowedRedis) {
    init {
        afterSpec { BorrowedRedis.lettuce.shutdown(Duration.ZERO, Duration.ofSeconds(2)) }
    }
}

private object BorrowedRedis : Redis(settings = { announceInScript = false }) {
    val lettuce: RedisClient by lazy { RedisClient.create(RedisServer.shared().uri) }

    override fun open(configure: SignalboxSettings.() -> Unit): Signalbox = Signalbox(lettuce, configure)
}
