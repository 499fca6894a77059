package io.signalbox.timers.behaviour

import io.signalbox.InMemoryStore
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.testkit.RedisServer
import io.signalbox.testkit.RedisTopology
import kotlin.random.Random

/** A kind of store that the behaviour suite runs on. */
fun interface Backend {
    fun emptyStore(): Store
}

/** Somewhere to keep timers, with nothing in it yet. Each call is another client, as in another process. */
fun interface Store {
    fun connect(configure: SignalboxSettings.() -> Unit): Signalbox
}

val InMemory = Backend {
    val store = InMemoryStore()
    Store { configure -> Signalbox.inMemory(store, configure = configure) }
}

/** The shared server, where a namespace of its own is an empty store. */
fun redis(settings: SignalboxSettings.() -> Unit = {}) = Backend {
    val unused = freshNamespace()
    Store { configure ->
        Signalbox.connect(RedisServer.shared().uri) {
            namespace = unused
            settings()
            configure()
        }
    }
}

private val sharedCluster by lazy { RedisTopology.cluster() }
private val sharedSentinel by lazy { RedisTopology.sentinel() }

/** A cluster of three masters that the suites of this JVM share. */
val Cluster = Backend {
    val unused = freshNamespace()
    Store { configure ->
        Signalbox.connectCluster(sharedCluster.uri) {
            namespace = unused
            configure()
        }
    }
}

/** The primary that Sentinels name. */
val Sentinel = Backend {
    val unused = freshNamespace()
    Store { configure ->
        Signalbox.connect(sharedSentinel.uri) {
            namespace = unused
            configure()
        }
    }
}

/** Whether suites are played on all kinds of servers. */
val isFullRun: Boolean = System.getProperty("signalbox.bugs") == "all"

/** A namespace that nobody has used before. */
fun freshNamespace(): String = "test-" + Random.nextLong().toULong().toString(36)
