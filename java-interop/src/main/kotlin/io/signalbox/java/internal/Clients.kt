package io.signalbox.java.internal

import io.lettuce.core.RedisClient
import io.lettuce.core.cluster.RedisClusterClient
import io.signalbox.Signalbox as CoreSignalbox
import io.signalbox.java.Signalbox
import io.signalbox.java.SignalboxOptions
import java.util.concurrent.Executor
import java.util.concurrent.ForkJoinPool

/** Makes clients. */
internal object Clients {
    @JvmStatic
    fun connect(
        uri: String,
        options: SignalboxOptions,
    ): Signalbox = views(CoreSignalbox.connect(uri) { take(options) }, options)

    @JvmStatic
    fun connect(
        client: RedisClient,
        options: SignalboxOptions,
    ): Signalbox = views(CoreSignalbox(client) { take(options) }, options)

    @JvmStatic
    fun connect(
        client: RedisClusterClient,
        options: SignalboxOptions,
    ): Signalbox = views(CoreSignalbox(client) { take(options) }, options)

    @JvmStatic
    fun connectCluster(
        uris: List<String>,
        options: SignalboxOptions,
    ): Signalbox = views(CoreSignalbox.connectCluster(uris) { take(options) }, options)

    @JvmStatic
    fun inMemory(
        memory: Memory,
        options: SignalboxOptions,
    ): Signalbox = views(memory.connect { take(options) }, options)

    private fun views(
        core: CoreSignalbox,
        options: SignalboxOptions,
    ): Signalbox = SignalboxViews(core, Calls(options.callbackExecutor().orElseGet { futures })).blocking

    /**
     * The common pool, unless that has at most one thread, or none at all, and nothing would run beside what is running: then a pool of a few
     * threads of our own, which end when they have nothing to do.
     */
    val futures: Executor by lazy {
        val threads =
            if (ForkJoinPool.getCommonPoolParallelism() > 1) {
                ForkJoinPool.commonPool()
            } else {
                passingThreads("signalbox-callbacks", maxOf(2, Runtime.getRuntime().availableProcessors()))
            }
        SharedTasks(threads)
    }
}
