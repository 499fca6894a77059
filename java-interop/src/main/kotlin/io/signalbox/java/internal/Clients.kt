package io.signalbox.java.internal

import io.lettuce.core.RedisClient
import io.signalbox.Signalbox as CoreSignalbox
import io.signalbox.java.Signalbox
import io.signalbox.java.SignalboxOptions
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executor

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

    /** What `CompletableFuture` itself uses: the common pool, unless that has at most one thread, or none at all, and nothing would run. */
    private val FUTURES: Executor = CompletableFuture<Any>().defaultExecutor()
}
