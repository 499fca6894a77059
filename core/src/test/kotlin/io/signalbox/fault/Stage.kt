package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.lettuce.core.RedisURI
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.internal.Connecting
import io.signalbox.internal.redis.RedisConnections
import io.signalbox.internal.redis.Scripts
import io.signalbox.testkit.FaultProxy
import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.RedisServer
import io.signalbox.testkit.RedisSettings
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withTimeoutOrNull

/** Where a fault happens: a server of the test's own, a network in front of it, and clients. All gone when the test ends. */
internal class Stage(
    settings: RedisSettings.() -> Unit,
    scope: CoroutineScope,
) : CoroutineScope by scope {
    val redis: RedisProcess = RedisServer.start(settings)

    /** In front of [redis]; clients do not use it unless told to. */
    val proxy: FaultProxy = FaultProxy(redis)

    /** The server's address as seen through [proxy]. */
    val proxied: String get() = redis.uri.replace(":${redis.port}", ":${proxy.port}")

    private val clients = mutableListOf<Signalbox>()

    fun client(
        uri: String = redis.uri,
        lease: Duration = 10.seconds,
        scripts: Scripts = Scripts.production,
        configure: SignalboxSettings.() -> Unit = {},
    ): Signalbox {
        val settings =
            SignalboxSettings().apply {
                this.lease = lease
                label = "client-${clients.size}"
                configure()
            }
        return Connecting.redis(settings, scripts) { RedisConnections.own(RedisURI.create(uri)) }.also(clients::add)
    }

    /** So that no request has to be made twice because the server does not know the script yet. */
    fun load(
        scripts: Scripts,
    ) = listOf(scripts.open, scripts.exchange, scripts.snapshot).forEach { redis.command("SCRIPT", "LOAD", String(it.body)) }

    fun stored(name: String): StoredSemaphore = StoredSemaphore(redis, name)

    suspend fun close() {
        clients.forEach(Signalbox::close)
        withTimeoutOrNull(2.seconds) { clients.forEach { it.closeAndJoin() } }
        proxy.close()
        redis.close()
    }
}

/** Plays [scene] on a new [Stage]. Coroutines that it starts must end, or be cancelled, before it does. */
internal suspend fun onStage(
    settings: RedisSettings.() -> Unit = {},
    scene: suspend Stage.() -> Unit,
) = coroutineScope {
    val stage = Stage(settings, this)
    try {
        stage.load(Scripts.production)
        stage.scene()
    } catch (failure: Throwable) {
        // Else what they make of the closing clients would hide it.
        coroutineContext.cancelChildren()
        throw failure
    } finally {
        stage.close()
    }
}

/** The id of the one connection that waits in a blocking command, once there is one. */
internal suspend fun RedisServer.awaitBlockingClient(): String =
    eventually(30.seconds) {
        val line = command("CLIENT", "LIST").lines().single { "cmd=blpop" in it }
        line.substringAfter("id=").substringBefore(' ')
    }
