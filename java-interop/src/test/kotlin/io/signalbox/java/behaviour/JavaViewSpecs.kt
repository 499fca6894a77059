package io.signalbox.java.behaviour

import io.lettuce.core.cluster.RedisClusterClient
import io.lettuce.core.cluster.RedisClusterURIUtil
import io.signalbox.Signalbox as CoreSignalbox
import io.signalbox.SignalboxSettings
import io.signalbox.behaviour.Ability
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.SemaphoreBehaviour
import io.signalbox.cluster.Cluster
import io.signalbox.cluster.Sentinel
import io.signalbox.cluster.Shared
import io.signalbox.event.EventBehaviour
import io.signalbox.java.Signalbox
import io.signalbox.mutex.MutexBehaviour
import io.signalbox.testkit.RedisServer
import java.net.URI
import java.util.concurrent.Executors

// The suites of the core, through futures and through threads that wait.

class AsyncSemaphoreSpec : SemaphoreBehaviour(AsyncOnRedis)

class BlockingSemaphoreSpec : SemaphoreBehaviour(BlockingOnRedis)

class AsyncMutexSpec : MutexBehaviour(AsyncOnRedis)

class BlockingMutexSpec : MutexBehaviour(BlockingOnRedis)

class AsyncEventSpec : EventBehaviour(AsyncOnRedis)

class BlockingEventSpec : EventBehaviour(BlockingOnRedis)

// The same on a cluster and under Sentinels, in the full run.

class AsyncClusterSemaphoreSpec : SemaphoreBehaviour(AsyncOnCluster)

class BlockingClusterMutexSpec : MutexBehaviour(BlockingOnCluster)

class AsyncClusterEventSpec : EventBehaviour(AsyncOnCluster)

class BlockingSentinelSemaphoreSpec : SemaphoreBehaviour(BlockingOnSentinel)

class AsyncSentinelMutexSpec : MutexBehaviour(AsyncOnSentinel)

class BlockingSentinelEventSpec : EventBehaviour(BlockingOnSentinel)

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

private val THREADS = Executors.newCachedThreadPool { Thread(it).apply { isDaemon = true } }

private object BlockingOnRedis : Redis() {
    override val lacks = KOTLIN_ONLY

    override fun open(configure: SignalboxSettings.() -> Unit): CoreSignalbox =
        BlockingSubject(Signalbox.connect(RedisServer.shared().uri, options(configure)), THREADS) { super.open(configure) }
}

private object AsyncOnCluster : Cluster(isEveryday = false) {
    override val lacks = KOTLIN_ONLY

    override fun open(configure: SignalboxSettings.() -> Unit): CoreSignalbox =
        AsyncSubject(Signalbox.connectCluster(Shared.cluster.uri, options(configure)).async()) { super.open(configure) }
}

private object BlockingOnCluster : Cluster(isEveryday = false) {
    override val lacks = KOTLIN_ONLY

    private val lettuce by lazy { RedisClusterClient.create(RedisClusterURIUtil.toRedisURIs(URI(Shared.cluster.uri))) }

    override fun open(configure: SignalboxSettings.() -> Unit): CoreSignalbox =
        BlockingSubject(Signalbox.connect(lettuce, options(configure)), THREADS) { super.open(configure) }
}

private object AsyncOnSentinel : Sentinel() {
    override val lacks = KOTLIN_ONLY

    override fun open(configure: SignalboxSettings.() -> Unit): CoreSignalbox =
        AsyncSubject(Signalbox.connect(Shared.sentinel.uri, options(configure)).async()) { super.open(configure) }
}

private object BlockingOnSentinel : Sentinel() {
    override val lacks = KOTLIN_ONLY

    override fun open(configure: SignalboxSettings.() -> Unit): CoreSignalbox =
        BlockingSubject(Signalbox.connect(Shared.sentinel.uri, options(configure)), THREADS) { super.open(configure) }
}
