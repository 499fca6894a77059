package io.signalbox.badinput

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.behaviour.Clients
import io.signalbox.behaviour.PATIENCE
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.Store
import io.signalbox.behaviour.freshNamespace
import io.signalbox.behaviour.keysOf
import io.signalbox.behaviour.withClients
import io.signalbox.testkit.RedisServer

/** Clients of a namespace of the shared server, and all that is stored in it. */
internal class Witness(
    val namespace: String,
    val clients: Clients,
) {
    val client: Signalbox by lazy { clients.client() }

    /** Without the list of names, which clients add theirs to when they come to it. */
    fun stored(): Map<String, String> =
        keysOf(namespace).filterNot { it == "$namespace:names" }.associateWith { key ->
            val server = RedisServer.shared()
            when (server.command("TYPE", key)) {
                "hash" -> server.command("HGETALL", key)
                "zset" -> server.command("ZRANGE", key, "0", "-1", "WITHSCORES")
                else -> key
            }
        }

    /** [call] must be refused as misuse, in words that contain [shown], without having written anything. */
    inline fun <reified E : RuntimeException> refuses(
        shown: List<String>,
        call: () -> Unit,
    ) {
        val before = stored()
        val message = shouldThrow<E> { call() }.message.shouldNotBeNull()
        shown.forEach { message shouldContain it }
        withClue("what is stored after: $message") { stored() shouldBe before }
    }
}

internal suspend fun witnessed(body: suspend Witness.() -> Unit) {
    val namespace = freshNamespace()
    val redis = Redis { this.namespace = namespace }.emptyStore()
    withClients(redis) { Witness(namespace, this).body() }
}

/** [configure] must be refused by every way to make a client, in words that contain [shown]. */
internal fun refusesSettings(
    vararg shown: String,
    configure: SignalboxSettings.() -> Unit,
) {
    for (connect in listOf<(SignalboxSettings.() -> Unit) -> Signalbox>(
        { Signalbox.connect("redis://localhost", it) },
        { Signalbox.inMemory(configure = it) },
    )) {
        val message = shouldThrow<IllegalArgumentException> { connect(configure) }.message.shouldNotBeNull()
        shown.forEach { message shouldContain it }
    }
}

/** [configure] must be accepted, and work. */
internal suspend fun acceptsSettings(
    store: Store,
    configure: SignalboxSettings.() -> Unit,
) {
    val client = store.connect(configure)
    // With the shortest limits this takes several attempts on a busy machine.
    eventually(PATIENCE) { client.semaphore("api", permits = 1).tryAcquire()?.release() shouldBe true }
    client.closeAndJoin()
}
