package io.signalbox.cluster

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.Signalbox
import io.signalbox.StoreUnavailableException
import io.signalbox.behaviour.PATIENCE
import io.signalbox.history.isFullRun
import io.signalbox.testkit.RedisServer
import io.signalbox.testkit.RedisTopology
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withContext

/**
 * Whatever happens to the servers nobody hangs, and there are at most as many holders as permits, but for what a failover forgets: up to as many
 * again, while the leases of those who are forgotten last. In the full run.
 */
class FaultsTest : FunSpec({
    fun full(
        name: String,
        body: suspend () -> Unit,
    ) {
        if (isFullRun) test(name) { body() }
    }

    /** Everybody gets through once more, on every name. */
    suspend fun Load.awaitProgress(names: List<String>) {
        val before = names.associateWith(::doneOf)
        eventually(PATIENCE) { names.forEach { check(doneOf(it) > before.getValue(it) + 2) { "$it does not go on" } } }
    }

    full("a cluster under load: masters die, hand over, freeze and return, slots move, nodes come and go") {
        onCluster {
            val names = cluster.masters.map(::nameAt)
            val load = Load(permits = 2)
            with(load) { for (client in List(2) { client(lease = 10.seconds) }) for (name in names) start(client.semaphore(name, 2), 4) }
            load.awaitProgress(names)

            val dead = cluster.masters[0]
            cluster.kill(dead)
            load.awaitProgress(names)
            cluster.restart(dead)
            cluster.failOver(cluster.masters[1])
            load.awaitProgress(names)

            // It answers nobody, and goes on where it was when it is thawed: with what it thinks are its slots.
            val frozen = cluster.masters[2]
            val heirs = cluster.replicasOf(frozen)
            frozen.freeze()
            eventually(PATIENCE) { heirs.single().command("ROLE").lines().first() shouldBe "master" }
            frozen.thaw()
            cluster.awaitReplica(frozen)
            load.awaitProgress(names)

            val added = cluster.add()
            val slot = cluster.slotOf("{${names[0]}}")
            val former = cluster.ownerOf(slot)
            // Without any slot it would become somebody's replica.
            val other = (slot + 1) % 16_384
            cluster.migrate(other, added)
            repeat(3) {
                cluster.migrate(slot, added)
                load.awaitProgress(names)
                cluster.migrate(slot, former)
            }
            cluster.migrate(other, former)
            cluster.remove(added)
            load.awaitProgress(names)
            load.stop()
            load.surplus shouldBeLessThanOrEqual 2
            println(
                "FaultsTest: cluster: surplus ${load.surplus}, ${load.refused} calls refused, ${load.lost} permits lost, ${names.sumOf(
                    load::doneOf,
                )} turns",
            )
            val looking = client()
            for (name in names) eventually(PATIENCE) { looking.semaphore(name, 2).availablePermits() shouldBe 2 }
        }
    }

    full("Sentinels: the primary dies, hands over and returns as a replica") {
        withContext(Dispatchers.Default) {
            RedisTopology.sentinel().use { topology ->
                coroutineScope {
                    val clients = List(2) { Signalbox.connect(topology.uri) { lease = 10.seconds } }
                    val load = Load(permits = 2)
                    with(load) { for (client in clients) start(client.semaphore("api", 2), 4) }
                    load.awaitProgress(listOf("api"))
                    repeat(2) {
                        val former = topology.primary
                        topology.killPrimary()
                        load.awaitProgress(listOf("api"))
                        former.restart()
                        topology.awaitReplica(former)
                    }
                    topology.failOver()
                    load.awaitProgress(listOf("api"))
                    load.stop()
                    load.surplus shouldBeLessThanOrEqual 2
                    println("FaultsTest: Sentinel: surplus ${load.surplus}, ${load.refused} calls refused, ${load.lost} permits lost")
                    eventually(PATIENCE) { clients[0].semaphore("api", 2).availablePermits() shouldBe 2 }
                    clients.forEach { it.closeAndJoin() }
                }
            }
        }
    }

    full("two primaries: without min-replicas-to-write each has holders of its own, with it the old one grants and renews nothing") {
        withContext(Dispatchers.Default) {
            for (isGuarded in listOf(false, true)) {
                val old = RedisServer.start { if (isGuarded) config("min-replicas-to-write", "1").config("min-replicas-max-lag", "1") }
                val new = RedisServer.start { replicaOf(old) }
                old.use {
                    new.use {
                        val staying = Signalbox.connect(old.uri) { lease = 3.seconds }
                        val moving = Signalbox.connect(new.uri) { lease = 3.seconds }
                        val there = eventually(PATIENCE) { staying.semaphore("api", 1) }
                        val held = there.acquire()
                        eventually(PATIENCE) { new.command("HGET", "signalbox:sem:{api}:2:state", "plain") shouldBe "1" }

                        new.promote()

                        val here = moving.semaphore("api", 1)
                        // Who it belongs to has been told that it is lost before the new primary gives it away.
                        val granted = async { here.acquire().also { if (isGuarded) held.isLost shouldBe true } }
                        granted.await().isLost shouldBe false
                        if (isGuarded) {
                            shouldThrow<StoreUnavailableException> { there.tryAcquire() }
                        } else {
                            // One holder too many, as documented.
                            held.isLost shouldBe false
                            held.release() shouldBe true
                        }
                        granted.await().release() shouldBe true
                        staying.close()
                        moving.closeAndJoin()
                    }
                }
            }
        }
    }
})
