package io.signalbox.quorum

import io.signalbox.Signalbox
import io.signalbox.quorum.internal.redis.QuorumScript
import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.RedisServer
import java.util.UUID
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Real servers that were there for long: they vote. */
internal class Masters(
    count: Int = 3,
    val lease: Duration = 2.seconds,
    val servers: List<RedisProcess> = List(count) { RedisServer.start() },
) : AutoCloseable {
    val namespace = "q-${UUID.randomUUID()}"
    private val quorums = ArrayList<SignalboxQuorum>()

    init {
        servers.forEach { age(it, namespace, lease) }
    }

    operator fun get(index: Int): RedisProcess = servers[index]

    fun connect(
        uris: List<String> = servers.map { it.uri },
        configure: QuorumSettings.() -> Unit = {},
    ): SignalboxQuorum =
        Signalbox
            .connectQuorum(uris) {
                namespace = this@Masters.namespace
                lease = this@Masters.lease
                configure()
            }.also { synchronized(quorums) { quorums += it } }

    fun end() {
        quorums.forEach { it.close() }
    }

    override fun close() {
        end()
        servers.forEach { it.close() }
    }

    companion object {
        /** The ones that specs share which break nothing. */
        val shared: List<RedisProcess> by lazy { List(3) { RedisServer.start() } }

        /** As after a long life: the script is known, and the namespace older than any lease. */
        fun age(
            server: RedisServer,
            namespace: String,
            longest: Duration,
        ) {
            server.command("SCRIPT", "LOAD", QuorumScript.script.text)
            val millis = "${longest.inWholeMilliseconds}"
            server.command("HSET", "$namespace:quorum1:born", "at", "1", "longest", millis, "id", "${server.port}")
        }
    }
}
