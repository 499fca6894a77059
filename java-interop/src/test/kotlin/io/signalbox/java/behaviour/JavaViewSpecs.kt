package io.signalbox.java.behaviour

import io.signalbox.Signalbox as CoreSignalbox
import io.signalbox.SignalboxSettings
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.SemaphoreBehaviour
import io.signalbox.java.Signalbox
import io.signalbox.testkit.RedisServer
import java.util.concurrent.ExecutorService
import java.util.concurrent.Executors

/** The suite of the semaphore, through futures. */
class AsyncViewSpec : SemaphoreBehaviour(AsyncOnRedis)

/** The suite of the semaphore, through threads that wait. */
class BlockingViewSpec : SemaphoreBehaviour(BlockingOnRedis) {
    init {
        afterSpec { BlockingOnRedis.threads.shutdownNow() }
    }
}

private object AsyncOnRedis : Redis() {
    override fun open(configure: SignalboxSettings.() -> Unit): CoreSignalbox =
        AsyncSubject(Signalbox.connect(RedisServer.shared().uri, options(configure)).async())
}

private object BlockingOnRedis : Redis() {
    val threads: ExecutorService = Executors.newCachedThreadPool()

    override fun open(configure: SignalboxSettings.() -> Unit): CoreSignalbox =
        BlockingSubject(Signalbox.connect(RedisServer.shared().uri, options(configure)), threads)
}
