package io.signalbox.behaviour

import io.lettuce.core.RedisClient
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.history.isFullRun
import io.signalbox.testkit.RedisServer
import java.time.Duration

/**
 * As for servers that refuse undeclared keys: the clients announce grants themselves. On a Lettuce client of the user's. And called as in
 * a test that runs in virtual time.
 */
class BorrowedRedisSemaphoreSpec : SemaphoreBehaviour(BorrowedRedis) {
    /** Under `runTest` in the full run; everyday as all others are played. */
    override suspend fun play(
        store: Store,
        body: suspend Clients.() -> Unit,
    ) = if (isFullRun) withClientsUnderTest(store, body) else withClients(store, body)

    init {
        afterSpec { BorrowedRedis.lettuce.shutdown(Duration.ZERO, Duration.ofSeconds(2)) }
    }
}

private object BorrowedRedis : Redis(settings = { announceInScript = false }) {
    val lettuce: RedisClient by lazy { RedisClient.create(RedisServer.shared().uri) }

    override fun open(configure: SignalboxSettings.() -> Unit): Signalbox = Signalbox(lettuce, configure)
}
