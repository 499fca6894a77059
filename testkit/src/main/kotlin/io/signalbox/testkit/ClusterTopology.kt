package io.signalbox.testkit

import java.util.concurrent.CopyOnWriteArrayList
import java.util.function.Consumer

/** A Redis or Valkey Cluster; see [RedisTopology.cluster]. Thread-safe. */
public class ClusterTopology internal constructor(private val eachServer: Consumer<RedisSettings>) : RedisTopology {
    private val all = CopyOnWriteArrayList<RedisProcess>()

    override val uri: String get() = "redis://${nodes.joinToString(",") { "${it.host}:${it.port}" }}"

    /** Every node, whatever its role at present, killed ones included. */
    public val nodes: List<RedisProcess> get() = all.toList()

    private val running: List<RedisProcess> get() = all.filter { it.isRunning }

    /** The masters that have slots, in the order of the slots, as all running nodes see them. */
    public val masters: List<RedisProcess>
        get() = awaitAgreement({ "The nodes did not agree on who has which slot" }) { agreed() }.map { it.node }.distinct()

    /** The master whose slots [key] is in. */
    public fun ownerOf(key: String): RedisProcess = ownerOf(slotOf(key))

    /** The master of [slot]. */
    public fun ownerOf(slot: Int): RedisProcess =
        awaitAgreement({ "The nodes did not agree on who has slot $slot" }) { agreed()?.find { slot in it.slots }?.node }

    /** The slot of [key], 0 to 16383. */
    public fun slotOf(key: String): Int = running.first().command("CLUSTER", "KEYSLOT", key).toInt()

    /** The replicas of [master]; of a dead one those that it had. */
    public fun replicasOf(master: RedisProcess): List<RedisProcess> {
        val id = idOf(master)
        return views(running.first()).filter { it.masterId == id }.map { it.node }
    }

    /**
     * Has a replica take over from [master], which lives and hands over in an orderly way, and returns the new master when all nodes know
     * it.
     */
    public fun failOver(master: RedisProcess): RedisProcess {
        // Of one that has just come back not all have heard yet.
        val replica = awaitAgreement({ "The master on port ${master.port} has no replica that could take over" }) {
            replicasOf(master).find { it.isRunning }
        }
        awaitAgreement({ "The replica on port ${replica.port} did not begin to take over" }) { replica.command("CLUSTER", "FAILOVER") }
        // Whoever could not take over in five seconds, because the machine stood still or the others had just voted, gives up and tells nobody.
        var givenUpAt = System.nanoTime() + GIVEN_UP_NANOS
        return awaitSuccessor(master) {
            if (System.nanoTime() > givenUpAt && it !== replica) {
                givenUpAt = System.nanoTime() + GIVEN_UP_NANOS
                replica.command("CLUSTER", "FAILOVER")
            }
            it === replica
        }
    }

    /** Kills [master], waits until a replica has taken over and all nodes know it, and returns that. */
    public fun kill(master: RedisProcess): RedisProcess {
        val heirs = awaitAgreement({ "The master on port ${master.port} has no replica that could take over" }) {
            replicasOf(master).filter { it.isRunning }.ifEmpty { null }
        }
        master.kill()
        return awaitSuccessor(master) { it in heirs }
    }

    /** Starts a node that was killed again, and waits until it is a replica with its master's data. */
    public fun restart(node: RedisProcess) {
        node.restart()
        awaitReplica(node)
    }

    /** Waits until [node], which was restarted or thawed, is a replica of a master. */
    public fun awaitReplica(node: RedisProcess) {
        awaitAgreement({ "The node on port ${node.port} did not become a replica" }) {
            node.command("INFO", "replication").takeIf { "role:slave" in it && "master_link_status:up" in it }
        }
        masters
    }

    /**
     * Adds a node without slots: a master, or a replica of [master]. A master that gives its last slot away becomes a replica of who gets
     * it.
     */
    @JvmOverloads
    public fun add(master: RedisProcess? = null): RedisProcess {
        val node = launch()
        node.command("CLUSTER", "MEET", LOOPBACK, "${running.first { it !== node }.port}")
        awaitReady()
        if (master != null) {
            node.command("CLUSTER", "REPLICATE", idOf(master))
            awaitReplica(node)
        }
        return node
    }

    /** Has all others forget [node], which must have no slots, and ends it. */
    public fun remove(node: RedisProcess) {
        check(masters.none { it === node }) { "The node on port ${node.port} still has slots; migrate them first" }
        val id = idOf(node)
        all -= node
        node.close()
        // What a node has forgotten others may tell it of again, until all have.
        running.forEach { runCatching { it.command("CLUSTER", "FORGET", id) } }
        awaitReady()
    }

    /**
     * Begins to move [slot] to the master [to], key by key: until [SlotMigration.finish] keys are at one or the other node, and clients are
     * asked to ask there.
     */
    public fun beginMigration(slot: Int, to: RedisProcess): SlotMigration {
        val from = ownerOf(slot)
        check(from !== to) { "Slot $slot is at the node on port ${to.port} already" }
        to.command("CLUSTER", "SETSLOT", "$slot", "IMPORTING", idOf(from))
        from.command("CLUSTER", "SETSLOT", "$slot", "MIGRATING", idOf(to))
        return SlotMigration(this, slot, from, to)
    }

    /** Moves [slot] to the master [to], key by key. No-op if it is there. */
    public fun migrate(slot: Int, to: RedisProcess) {
        if (ownerOf(slot) !== to) beginMigration(slot, to).finish()
    }

    /**
     * Moves [slot] to the master [to] in one step, as Valkey from version 9 on and Redis from 8.4 on can.
     *
     * @return false if the servers cannot; nothing was done then
     */
    public fun migrateAtomically(slot: Int, to: RedisProcess): Boolean {
        val from = ownerOf(slot)
        if (from === to) return true
        try {
            from.command("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", "$slot", "$slot", "NODE", idOf(to))
        } catch (unknown: RedisErrorReply) {
            if ("unknown" !in unknown.message.orEmpty().lowercase()) throw unknown
            try {
                to.command("CLUSTER", "MIGRATION", "IMPORT", "$slot", "$slot")
            } catch (_: RedisErrorReply) {
                return false
            }
        }
        awaitOwner(slot, to)
        return true
    }

    /** How a node is known in the cluster. */
    public fun idOf(node: RedisProcess): String =
        if (node.isRunning) node.command("CLUSTER", "MYID") else views(running.first()).first { it.node === node }.id

    internal fun awaitOwner(slot: Int, owner: RedisProcess) {
        awaitAgreement({ "Slot $slot did not come to the node on port ${owner.port}" }) { owner.takeIf { ownerOf(slot) === it } }
    }

    internal val runningMasters: List<RedisProcess>
        get() = running.filter { it.command("ROLE").startsWith("master") }

    internal fun start(masters: Int, replicas: Int) {
        val first = List(masters) { launch() }
        first.forEachIndexed { index, node ->
            val from = SLOTS * index / masters
            val to = SLOTS * (index + 1) / masters
            node.command("CLUSTER", "ADDSLOTS", *(from until to).map(Int::toString).toTypedArray())
            // Else all begin with the same and have to settle that first.
            node.command("CLUSTER", "SET-CONFIG-EPOCH", "${index + 1}")
        }
        val others = List(masters * replicas) { launch() }
        // All to all: quicker than having them hear of each other.
        for (node in all) for (other in all) if (node !== other) node.command("CLUSTER", "MEET", LOOPBACK, "${other.port}")
        awaitReady(hasSlots = false)
        others.forEachIndexed { index, node -> node.command("CLUSTER", "REPLICATE", idOf(first[index % masters])) }
        others.forEach(::awaitReplica)
        awaitReady()
        awaitAgreement({ "The nodes did not learn of each other's replicas" }) {
            running.all { node -> views(node).count { it.masterId != null } == others.size }.takeIf { it }
        }
    }

    private fun launch(): RedisProcess {
        val settings = RedisSettings()
            .config("cluster-node-timeout", "$NODE_TIMEOUT_MILLIS")
            // A replica whose data are old by that measure would never take over; its masters write little.
            .config("cluster-replica-validity-factor", "0")
            .also(eachServer::accept)
        settings.role = ServerRole.CLUSTER_NODE
        return RedisProcess.start(settings).also(all::add)
    }

    private fun awaitReady(hasSlots: Boolean = true) {
        awaitAgreement({ "The nodes did not become a cluster" }) {
            val ids = running.map { it.command("CLUSTER", "MYID") }.toSet()
            running.all { node ->
                val isReady = !hasSlots || "cluster_state:ok" in node.command("CLUSTER", "INFO")
                isReady && views(node).filter { it.isLinked }.mapTo(HashSet()) { it.id } == ids
            }.takeIf { it }
        }
    }

    private fun awaitSuccessor(former: RedisProcess, isSuccessor: (RedisProcess) -> Boolean): RedisProcess =
        awaitAgreement({ "No replica took over from the node on port ${former.port}" }) {
            val owners = agreed().orEmpty().map { it.node }
            owners.find(isSuccessor)?.takeIf { former !in owners && running.all { "cluster_state:ok" in it.command("CLUSTER", "INFO") } }
        }

    private class Share(val slots: IntRange, val node: RedisProcess)

    /** Who has which slots, if all running nodes say the same. */
    private fun agreed(): List<Share>? {
        val views = running.map { node -> shares(node).map { Triple(it.slots.first, it.slots.last, it.node.port) } }.toSet()
        return if (views.size == 1) shares(running.first()) else null
    }

    private fun shares(node: RedisProcess): List<Share> = views(node).filter { it.masterId == null }.flatMap { view ->
        view.slots.map { Share(it, view.node) }
    }.sortedBy { it.slots.first }

    private class View(val id: String, val node: RedisProcess, val masterId: String?, val isLinked: Boolean, val slots: List<IntRange>)

    /** What [node] says of the cluster: a line for each node, `id address flags master ping pong epoch link slots...`. */
    private fun views(node: RedisProcess): List<View> = node.command("CLUSTER", "NODES").lines().mapNotNull { line ->
        val words = line.split(' ')
        if (words.size < LINK + 1) return@mapNotNull null
        val port = words[1].substringBefore('@').substringAfterLast(':').toInt()
        val known = all.find { it.port == port } ?: return@mapNotNull null
        val slots = words.drop(LINK + 1).filterNot { it.startsWith("[") }.map { range ->
            range.substringBefore('-').toInt()..range.substringAfter('-').toInt()
        }
        val flags = words[2].split(',')
        View(
            words[0],
            known,
            words[3].takeIf {
                it != "-"
            },
            ("myself" in flags || words[LINK] == "connected") && "handshake" !in flags,
            slots,
        )
    }

    override fun close() {
        all.forEach(RedisProcess::close)
    }

    private companion object {
        const val SLOTS = 16_384
        const val NODE_TIMEOUT_MILLIS = 1000
        const val GIVEN_UP_NANOS = 6_000_000_000
        const val LINK = 7
    }
}
