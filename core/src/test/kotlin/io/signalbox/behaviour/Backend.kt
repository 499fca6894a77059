package io.signalbox.behaviour

import io.signalbox.InMemoryStore
import io.signalbox.Semaphore
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.history.isFullRun
import io.signalbox.internal.ledger.Kind
import io.signalbox.testkit.RedisServer
import kotlin.random.Random

/** A kind of store that the behaviour suite runs on. */
interface Backend {
    fun emptyStore(): Store

    /** What semaphores of this backend do not promise. */
    val lacks: Set<Ability> get() = emptySet()

    /** Whether the suites are played on it in every run; else in the full one only. */
    val isEveryday: Boolean get() = true
}

/** What not every kind of semaphore promises. */
enum class Ability {
    /** One queue of the waiters of all clients, first come, first served, that everybody can look at. */
    SHARED_QUEUE,

    /** No permits, or more than 4096. */
    ANY_COUNT,

    /** `withLock` is the mutex's own: it knows the coroutine that holds it, and errors speak of a mutex. */
    OWN_WITH_LOCK,

    /** What is not used for one retention is forgotten; tested with leases of a fraction of a second. */
    FORGETTING,

    /** Holders and waiters can be told to give up what they have. */
    ORDERS,

    /** What is given back can be kept from others for a while. */
    MINIMUM_HOLDS,

    /** Settings are refused with the words of the Kotlin API. */
    KOTLIN_SETTINGS,
}

/** Somewhere to keep semaphores, with nothing in it yet. */
interface Store {
    /** Another client, as in another process. */
    fun connect(configure: SignalboxSettings.() -> Unit): Signalbox

    /** Whether anything of that name is stored. Asking changes nothing. */
    fun knows(name: String): Boolean

    /** How many acquires, of all clients, wait at [semaphore]. */
    suspend fun queueLength(semaphore: Semaphore): Int = semaphore.snapshot().queueLength
}

object InMemory : Backend {
    override fun emptyStore(): Store = object : Store {
        private val store = InMemoryStore()

        override fun connect(configure: SignalboxSettings.() -> Unit) = Signalbox.inMemory(store, configure = configure)

        override fun knows(name: String) = Kind.entries.any { store.ledgers.snapshot("signalbox:${it.tag}:{$name}", name, 1) != null }
    }
}

/** Whether a suite has the tests that [need][needs] that on this backend. */
fun Backend.plays(needs: Array<out Ability>): Boolean = needs.none { it in lacks } && (isEveryday || isFullRun)

/** The shared server, where a namespace of its own is an empty store. */
open class Redis(
    private val uri: String = RedisServer.shared().uri,
    private val settings: SignalboxSettings.() -> Unit = {},
) : Backend {
    /** Where anything can be stored. */
    protected open val servers: List<RedisServer> get() = listOf(RedisServer.shared())

    override fun emptyStore(): Store {
        val unused = freshNamespace()
        return object : Store {
            override fun connect(configure: SignalboxSettings.() -> Unit) = open {
                namespace = unused
                settings()
                configure()
            }

            override fun knows(name: String) = servers.any { server -> keysOf(unused, server).any { "{$name}" in it } }
        }
    }

    protected open fun open(configure: SignalboxSettings.() -> Unit): Signalbox = Signalbox.connect(uri, configure)
}

/** A namespace that nobody has used before. */
fun freshNamespace(): String = "test-" + Random.nextLong().toULong().toString(36)

/** What [server] has stored under [namespace]. */
fun keysOf(
    namespace: String,
    server: RedisServer = RedisServer.shared(),
): Set<String> {
    val keys = mutableSetOf<String>()
    var cursor = "0"
    do {
        val reply = server.command("SCAN", cursor, "MATCH", "$namespace:*", "COUNT", "1000").lines()
        cursor = reply.first()
        keys += reply.drop(1).filter { it.isNotEmpty() }
    } while (cursor != "0")
    return keys
}
