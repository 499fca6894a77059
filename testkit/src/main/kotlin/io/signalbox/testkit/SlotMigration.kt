package io.signalbox.testkit

/** A slot on its way from one master of a cluster to another; see [ClusterTopology.beginMigration]. */
public class SlotMigration internal constructor(
    private val cluster: ClusterTopology,
    private val slot: Int,
    private val from: RedisProcess,
    private val to: RedisProcess,
) {
    /** Moves at most [count] keys, and returns how many it were. */
    @JvmOverloads
    public fun moveKeys(count: Int = Int.MAX_VALUE): Int {
        var moved = 0
        while (moved < count) {
            val keys = from.command(
                "CLUSTER",
                "GETKEYSINSLOT",
                "$slot",
                "${minOf(count - moved, AT_ONCE)}",
            ).lines().filter(String::isNotEmpty)
            if (keys.isEmpty()) break
            from.command("MIGRATE", to.host, "${to.port}", "", "0", "$PATIENCE_MILLIS", "KEYS", *keys.toTypedArray())
            moved += keys.size
        }
        return moved
    }

    /** Moves what is left, gives the slot to the other master, and waits until all nodes know. */
    public fun finish() {
        moveKeys()
        val id = cluster.idOf(to)
        // The new owner first: if the old one gave it away before, nobody would have it.
        (listOf(to, from) + cluster.runningMasters).distinct().forEach {
            try {
                it.command("CLUSTER", "SETSLOT", "$slot", "NODE", id)
            } catch (e: RedisErrorReply) {
                // Who gave away its last slot has heard of that, and become a replica.
                if (it === to || "only with masters" !in e.message.orEmpty()) throw e
            }
        }
        cluster.awaitOwner(slot, to)
    }

    private companion object {
        const val AT_ONCE = 100
        const val PATIENCE_MILLIS = 10_000
    }
}
