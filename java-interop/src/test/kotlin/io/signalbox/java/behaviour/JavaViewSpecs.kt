package io.signalbox.java.behaviour

import io.signalbox.Signalbox as CoreSignalbox
import io.signalbox.SignalboxSettings
import io.signalbox.behaviour.Ability
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.SemaphoreBehaviour
import io.signalbox.event.EventBehaviour
import io.signalbox.java.Signalbox
import io.signalbox.mutex.MutexBehaviour
import io.signalbox.testkit.RedisServer
import java.util.concurrent.Executors

// The suites of the core, through futures and through threads that wait.

class AsyncSemaphoreSpec : SemaphoreBehaviour(AsyncOnRedis)

class BlockingSemaphoreSpec : SemaphoreBehaviour(BlockingOnRedis)

class AsyncMutexSpec : MutexBehaviour(AsyncOnRedis)

class BlockingMutexSpec : MutexBehaviour(BlockingOnRedis)

class AsyncEventSpec : EventBehaviour(AsyncOnRedis)

class BlockingEventSpec : EventBehaviour(BlockingOnRedis)

/**
 * The suite's `withLock` is the one of Kotlin, on top of an adapter that knows no coroutines. Builders have refusals of their own.
 * And what the store forgets is no matter of the view.
 */
private val KOTLIN_ONLY = setOf(Ability.OWN_WITH_LOCK, Ability.KOTLIN_SETTINGS, Ability.FORGETTING)

private object AsyncOnRedis : Redis() {
    override val lacks = KOTLIN_ONLY

    override fun open(configure: SignalboxSettings.() -> Unit): CoreSignalbox =
        AsyncSubject(Signalbox.connect(RedisServer.shared().uri, options(configure)).async()) { super.open(configure) }
}

private object BlockingOnRedis : Redis() {
    override val lacks = KOTLIN_ONLY

    private val threads = Executors.newCachedThreadPool { Thread(it).apply { isDaemon = true } }

    override fun open(configure: SignalboxSettings.() -> Unit): CoreSignalbox =
        BlockingSubject(Signalbox.connect(RedisServer.shared().uri, options(configure)), threads) { super.open(configure) }
}
