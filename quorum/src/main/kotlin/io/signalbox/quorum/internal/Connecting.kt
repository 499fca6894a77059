package io.signalbox.quorum.internal

import io.lettuce.core.RedisURI
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.internal.BackendOwner
import io.signalbox.internal.SignalboxBackend
import io.signalbox.quorum.InMemoryMasters
import io.signalbox.quorum.QuorumSettings
import io.signalbox.quorum.SignalboxQuorum
import io.signalbox.quorum.internal.memory.Asker
import io.signalbox.quorum.internal.memory.MemoryMaster
import io.signalbox.quorum.internal.redis.QuorumScript
import io.signalbox.quorum.internal.redis.RedisMaster
import java.util.UUID
import java.util.concurrent.Executor
import kotlin.coroutines.ContinuationInterceptor
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asExecutor

/** Makes clients of a quorum: checks their settings and puts their parts together. */
internal object Connecting {
    fun redis(
        uris: List<String>,
        settings: QuorumSettings,
    ): SignalboxQuorum {
        QuorumConfig.requireMasters(uris.size)
        val config = QuorumConfig(settings)
        val hosts = ArrayList<Signalbox>()
        try {
            uris.forEach { uri -> hosts += Signalbox.connect(uri) { take(config) } }
            val titles = uris.map(::title)
            requireDifferent(titles)
            return quorum(hosts, config, Dispatchers.Default.asExecutor()) { master, backend ->
                val line = (backend.store as SignalboxBackend.Store.Redis).line
                val script = QuorumScript(
                    config.namespace,
                    config.leaseMillis,
                    config.longestMillis,
                    config.retentionMillis,
                    backend.settings.label,
                    "${UUID.randomUUID()}",
                )
                RedisMaster(titles[master], line, script, backend.scope, backend.settings.patienceNanos)
            }
        } catch (problem: Exception) {
            hosts.forEach { it.close() }
            throw problem
        }
    }

    fun inMemory(
        masters: InMemoryMasters,
        scope: CoroutineScope?,
        settings: QuorumSettings,
    ): SignalboxQuorum {
        val config = QuorumConfig(settings)
        val host = Signalbox.inMemory(masters.store, scope) { take(config) }
        val dispatcher = scope?.coroutineContext?.get(ContinuationInterceptor) as? CoroutineDispatcher
        val backend = (host as BackendOwner).backend
        val members =
            masters.servers.mapIndexed { index, server ->
                MemoryMaster("master $index", server, config.namespace, backend.scope) {
                    Asker(config.leaseMillis, config.longestMillis, backend.settings.label, "$index", it)
                }
            }
        return DefaultSignalboxQuorum(listOf(host), members, config, (dispatcher ?: Dispatchers.Default).asExecutor())
    }

    private fun quorum(
        hosts: List<Signalbox>,
        config: QuorumConfig,
        elsewhere: Executor,
        member: (Int, SignalboxBackend) -> RedisMaster,
    ) = DefaultSignalboxQuorum(hosts, hosts.mapIndexed { index, host -> member(index, (host as BackendOwner).backend) }, config, elsewhere)

    private fun SignalboxSettings.take(config: QuorumConfig) {
        namespace = config.namespace
        config.label?.let { label = it }
        lease = config.leaseMillis.milliseconds
        storeTimeout = config.storeTimeoutMillis.milliseconds
    }

    /** Without credentials. */
    private fun title(uri: String): String {
        val parsed = RedisURI.create(uri)
        val sentinels = parsed.sentinels
        return when {
            sentinels.isNotEmpty() -> "${parsed.sentinelMasterId} of ${sentinels.joinToString(",") { "${it.host}:${it.port}" }}"
            parsed.socket != null -> parsed.socket
            // The driver reads no underscore in a name.
            parsed.host == null -> uri.substringAfter("://").substringAfter('@').substringBefore('/')
            else -> "${parsed.host}:${parsed.port}"
        }
    }

    private fun requireDifferent(titles: List<String>) {
        val twice = titles.groupingBy { it }.eachCount().filterValues { it > 1 }.keys
        require(twice.isEmpty()) { "Each master must be a server of its own, but ${twice.joinToString()} is given more than once." }
    }
}
