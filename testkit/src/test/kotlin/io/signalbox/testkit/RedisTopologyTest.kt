package io.signalbox.testkit

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.shouldNotBe
import io.kotest.matchers.string.shouldStartWith
import kotlin.io.path.exists

class RedisTopologyTest : FunSpec({
    test("Sentinels make a replica the primary when it is killed, and when told to") {
        val topology = RedisTopology.sentinel()
        topology.use {
            topology.primary.command("SET", "k", "v")
            topology.primary.command("WAIT", "2", "10000") shouldBe "2"
            topology.uri shouldStartWith "redis-sentinel://127.0.0.1:"
            topology.sentinels shouldHaveSize 3

            val second = topology.killPrimary()
            second.command("GET", "k") shouldBe "v"
            // Which one it was is for the Sentinels to say: a machine that stood still may have had them choose another before.
            val killed = topology.servers.single { !it.isRunning }
            second shouldNotBe killed
            killed.restart()
            topology.awaitReplica(killed)

            val third = topology.failOver()
            third.command("SET", "k", "w") shouldBe "OK"
            topology.primary shouldBe third
        }
        (topology.servers + topology.sentinels).forEach {
            it.isRunning shouldBe false
            it.dataDirectory.exists() shouldBe false
        }
    }

    test("a cluster spreads its slots, fails over by kill and by command, and takes the old master back as a replica") {
        RedisTopology.cluster().use { cluster ->
            cluster.nodes shouldHaveSize 6
            cluster.masters shouldHaveSize 3
            cluster.masters.forEach { cluster.replicasOf(it) shouldHaveSize 1 }
            val first = cluster.ownerOf("k")
            first.command("SET", "k", "v")
            first.command("WAIT", "1", "10000") shouldBe "1"

            val second = cluster.kill(first)
            cluster.ownerOf("k") shouldBe second
            second.command("GET", "k") shouldBe "v"
            cluster.restart(first)

            cluster.failOver(second) shouldBe first
            first.command("GET", "k") shouldBe "v"
        }
    }

    test("slots migrate key by key, nodes come and go") {
        RedisTopology.cluster(masters = 2, replicas = 0).use { cluster ->
            val from = cluster.ownerOf("{k}1")
            repeat(3) { from.command("SET", "{k}$it", "v") }
            val slot = cluster.slotOf("{k}1")
            val to = cluster.add()

            val migration = cluster.beginMigration(slot, to)
            migration.moveKeys(1) shouldBe 1
            cluster.ownerOf(slot) shouldBe from
            migration.finish()

            cluster.ownerOf(slot) shouldBe to
            to.command("GET", "{k}2") shouldBe "v"
            shouldThrow<RedisErrorReply> { from.command("GET", "{k}2") }.message shouldStartWith "MOVED $slot"
            shouldThrow<IllegalStateException> { cluster.remove(to) }
            cluster.migrate(slot, from)
            cluster.remove(to)
            cluster.nodes shouldHaveSize 2
            to.isRunning shouldBe false
        }
    }

    test("what cannot be is refused before anything is started") {
        shouldThrow<IllegalArgumentException> { RedisTopology.cluster(masters = 0) }.message shouldBe
            "At least 1 master, with 0 or more replicas, not 0 and 1"
        shouldThrow<IllegalArgumentException> { RedisTopology.sentinel(replicas = 0) }.message shouldBe
            "At least 1 replica and 1 Sentinel, not 0 and 3"
    }
})
