package io.signalbox.testkit

import java.util.concurrent.CopyOnWriteArrayList
import java.util.function.Consumer

/** A primary and its replicas, watched by Sentinels; see [RedisTopology.sentinel]. Thread-safe. */
public class SentinelTopology internal constructor(private val eachServer: Consumer<RedisSettings>) : RedisTopology {
    private val all = CopyOnWriteArrayList<RedisProcess>()
    private val watching = CopyOnWriteArrayList<RedisProcess>()

    /** The name under which Sentinels know the primary. */
    public val name: String = "signalbox"

    override val uri: String get() = "redis-sentinel://${watching.joinToString(",") { "${it.host}:${it.port}" }}#$name"

    /** Every server, whatever its role at present. */
    public val servers: List<RedisProcess> get() = all.toList()

    /** The Sentinels. */
    public val sentinels: List<RedisProcess> get() = watching.toList()

    /** The server that all running Sentinels say is the primary. */
    public val primary: RedisProcess get() = awaitAgreement({ "The Sentinels did not agree on a primary" }) { agreed() }

    /** Has the Sentinels make a replica the primary while the present one lives, and returns the new one when clients can use it. */
    public fun failOver(): RedisProcess {
        val former = primary
        // Refused while the Sentinel does not know of a replica that is good enough, as right after a failover.
        awaitAgreement({ "No failover could begin" }) {
            watching.first { it.isRunning }.command("SENTINEL", "FAILOVER", name)
        }
        // A failover that gets no further is given up after a while, and nobody is told.
        var givenUpAt = System.nanoTime() + GIVEN_UP_NANOS
        return awaitPrimaryOtherThan(former) {
            if (System.nanoTime() > givenUpAt && agreed() === former) {
                givenUpAt = System.nanoTime() + GIVEN_UP_NANOS
                watching.first { it.isRunning }.command("SENTINEL", "FAILOVER", name)
            }
        }
    }

    /** Kills the primary, waits until the Sentinels have made a replica the primary, and returns that. The dead one can be [restarted][RedisProcess.restart]. */
    public fun killPrimary(): RedisProcess {
        val former = primary
        former.kill()
        return awaitPrimaryOtherThan(former)
    }

    /** Waits until [server], which was restarted or thawed, has become a replica of the primary. */
    public fun awaitReplica(server: RedisProcess) {
        awaitAgreement({ "The server on port ${server.port} did not become a replica" }) {
            server.command("INFO", "replication").takeIf {
                "role:slave" in it && "master_link_status:up" in it &&
                    "master_port:${primary.port}" in it
            }
        }
    }

    internal fun start(replicas: Int, sentinels: Int) {
        val first = RedisProcess.start(RedisSettings().also(eachServer::accept)).also(all::add)
        repeat(replicas) { all += RedisProcess.start(RedisSettings().also(eachServer::accept).replicaOf(first)) }
        repeat(sentinels) {
            val settings = RedisSettings().apply { role = ServerRole.SENTINEL }
                .config("sentinel", "monitor", name, first.host, "${first.port}", "${sentinels / 2 + 1}")
                .config("sentinel", "down-after-milliseconds", name, "$DOWN_AFTER_MILLIS")
                .config("sentinel", "failover-timeout", name, "$FAILOVER_MILLIS")
            eachServer.let { each -> RedisSettings().also(each::accept).binary }?.let { settings.binary(it.path) }
            watching += RedisProcess.start(settings)
        }
        awaitAgreement({ "The Sentinels did not find each other and the replicas" }) {
            watching.all { sentinel ->
                val facts = sentinel.command("SENTINEL", "MASTER", name).lines()
                fun fact(key: String) = facts.getOrNull(facts.indexOf(key) + 1)
                fact("num-slaves") == "$replicas" && fact("num-other-sentinels") == "${sentinels - 1}" && fact("flags") == "master"
            }.takeIf { it }
        }
    }

    private fun agreed(): RedisProcess? {
        val named = watching.filter { it.isRunning }.map { it.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name).lines().last() }.toSet()
        return named.singleOrNull()?.let { port -> all.find { "${it.port}" == port } }
    }

    private fun awaitPrimaryOtherThan(former: RedisProcess, meanwhile: () -> Unit = {}): RedisProcess =
        awaitAgreement({ "No replica became the primary" }) {
            meanwhile()
            agreed()?.takeIf { it !== former && it.isRunning && it.command("ROLE").startsWith("master") }
        }

    override fun close() {
        (watching + all).forEach(RedisProcess::close)
    }

    private companion object {
        const val DOWN_AFTER_MILLIS = 500
        const val FAILOVER_MILLIS = 3000
        const val GIVEN_UP_NANOS = 10_000_000_000
    }
}
