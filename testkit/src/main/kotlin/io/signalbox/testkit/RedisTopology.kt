package io.signalbox.testkit

import java.util.function.Consumer

/**
 * Several servers that are one store: a primary with replicas under Sentinels, or a cluster.
 *
 * All are child processes on the loopback interface, which end with [close] or with this JVM and leave nothing behind. Functions block
 * until all servers that run agree on what was asked for, a failover for instance; they fail if that takes longer than a minute.
 */
public sealed interface RedisTopology : AutoCloseable {
    /** Where clients find it: `redis-sentinel://` with all Sentinels and the name of the primary, or `redis://` with all nodes. */
    public val uri: String

    public companion object {
        /**
         * Starts a primary with [replicas] replicas, watched by [sentinels] Sentinels of which the greater half has to agree.
         *
         * @param eachServer settings of each server, but not of the Sentinels
         */
        @JvmStatic
        @JvmOverloads
        public fun sentinel(
            replicas: Int = 2,
            sentinels: Int = 3,
            eachServer: Consumer<RedisSettings> = Consumer { },
        ): SentinelTopology {
            require(replicas >= 1 && sentinels >= 1) { "At least 1 replica and 1 Sentinel, not $replicas and $sentinels" }
            return closedUnlessReady(SentinelTopology(eachServer)) { it.start(replicas, sentinels) }
        }

        /**
         * Starts a cluster of [masters] masters, among which the slots are spread evenly, with [replicas] replicas each.
         *
         * @param eachServer settings of each node
         */
        @JvmStatic
        @JvmOverloads
        public fun cluster(
            masters: Int = 3,
            replicas: Int = 1,
            eachServer: Consumer<RedisSettings> = Consumer { },
        ): ClusterTopology {
            require(masters >= 1 && replicas >= 0) { "At least 1 master, with 0 or more replicas, not $masters and $replicas" }
            return closedUnlessReady(ClusterTopology(eachServer)) { it.start(masters, replicas) }
        }

        private fun <T : AutoCloseable> closedUnlessReady(made: T, start: (T) -> Unit): T {
            try {
                start(made)
            } catch (e: Throwable) {
                made.close()
                throw e
            }
            return made
        }
    }
}
