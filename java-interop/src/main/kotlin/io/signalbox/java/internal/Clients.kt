package io.signalbox.java.internal

import io.lettuce.core.RedisClient
import io.signalbox.Signalbox as CoreSignalbox
import io.signalbox.java.Signalbox
import io.signalbox.java.SignalboxOptions
import java.util.concurrent.Executor
import java.util.concurrent.ForkJoinPool
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.ThreadPoolExecutor
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger

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
    fun inMemory(
        memory: Memory,
        options: SignalboxOptions,
    ): Signalbox = views(CoreSignalbox.inMemory(memory.store, memory.scope) { take(options) }, options)

    private fun views(
        core: CoreSignalbox,
        options: SignalboxOptions,
    ): Signalbox = SignalboxViews(core, Calls(options.callbackExecutor().orElseGet { FUTURES })).blocking

    /**
     * The common pool, unless that has at most one thread, or none at all, and nothing would run beside what is running: then a pool of a few
     * threads of our own, which end when they have nothing to do.
     */
    private val FUTURES: Executor by lazy {
        if (ForkJoinPool.getCommonPoolParallelism() > 1) ForkJoinPool.commonPool() else fewThreads()
    }

    private fun fewThreads(): Executor {
        val count = maxOf(2, Runtime.getRuntime().availableProcessors())
        val number = AtomicInteger()
        return ThreadPoolExecutor(count, count, IDLE_SECONDS, TimeUnit.SECONDS, LinkedBlockingQueue()) { task ->
            Thread(null, task, "signalbox-callbacks-${number.incrementAndGet()}", 0, false).apply { isDaemon = true }
        }.apply { allowCoreThreadTimeOut(true) }
    }

    private const val IDLE_SECONDS = 5L
}
