package io.signalbox.cluster

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.shouldBe
import io.signalbox.Semaphore
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.behaviour.PATIENCE
import io.signalbox.testkit.ClusterTopology
import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.RedisSettings
import io.signalbox.testkit.RedisTopology
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull

/** A cluster of the test's own, to be broken, and clients of it. */
class ClusterStage(
    val cluster: ClusterTopology,
    scope: CoroutineScope,
) : CoroutineScope by scope {
    private val clients = mutableListOf<Signalbox>()

    fun client(
        lease: Duration = 30.seconds,
        configure: SignalboxSettings.() -> Unit = {},
    ): Signalbox =
        Signalbox.connectCluster(cluster.uri) {
            this.lease = lease
            configure()
        }.also(clients::add)

    /** Who keeps the semaphore, mutex or event [name]. */
    fun ownerOf(name: String): RedisProcess = cluster.ownerOf("{$name}")

    /** A name that [master] keeps. */
    fun nameAt(master: RedisProcess): String = generateSequence(0) { it + 1 }.map { "name-$it" }.first { ownerOf(it) === master }

    /** Returns when the replicas of [master] have all that it has. */
    fun awaitReplication(master: RedisProcess) {
        val replicas = cluster.replicasOf(master).count { it.isRunning }
        master.command("WAIT", "$replicas", "10000") shouldBe "$replicas"
    }

    suspend fun Semaphore.awaitQueue(length: Int) = eventually(PATIENCE) { snapshot().queueLength shouldBe length }

    /** The masters at which somebody waits for announcements. */
    fun inboxes(): List<RedisProcess> = cluster.masters.filter { "cmd=blpop" in it.command("CLIENT", "LIST") }

    internal suspend fun close() {
        clients.forEach(Signalbox::close)
        withTimeoutOrNull(5.seconds) { clients.forEach { it.closeAndJoin() } }
        cluster.close()
    }
}

/** Plays [scene] on a cluster of its own. Coroutines that it starts must end, or be cancelled, before it does. */
suspend fun onCluster(
    masters: Int = 3,
    replicas: Int = 1,
    settings: RedisSettings.() -> Unit = {},
    scene: suspend ClusterStage.() -> Unit,
) = withContext(Dispatchers.Default) {
    coroutineScope {
        val stage = ClusterStage(RedisTopology.cluster(masters, replicas) { it.settings() }, this)
        try {
            withTimeout(PATIENCE * 2) { stage.scene() }
        } catch (failure: Throwable) {
            coroutineContext.cancelChildren()
            throw failure
        } finally {
            stage.close()
        }
    }
}
