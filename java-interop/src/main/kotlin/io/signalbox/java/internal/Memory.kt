@file:OptIn(InternalSignalboxApi::class)

package io.signalbox.java.internal

import io.signalbox.InMemoryStore
import io.signalbox.InternalSignalboxApi
import io.signalbox.Signalbox as CoreSignalbox
import io.signalbox.SignalboxSettings
import io.signalbox.internal.ManualTime
import io.signalbox.java.Signalbox
import java.time.Duration
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.job

/** What is behind [io.signalbox.java.InMemoryStore]: the store, the time in which its clients live, and who they are. */
internal class Memory private constructor(
    private val store: InMemoryStore,
    /** `null` for the time of this process. */
    private val time: ManualTime?,
) {
    private val scopes = ConcurrentHashMap<CoreSignalbox, Job>()

    fun connect(configure: SignalboxSettings.() -> Unit): CoreSignalbox {
        val scope = CoroutineScope((time?.dispatcher ?: Dispatchers.Default) + Job())
        val client = CoreSignalbox.inMemory(store, scope, configure)
        scopes[client] = scope.coroutineContext.job
        return client
    }

    fun advance(step: Duration) {
        check(time != null) { "This store is on the clock of this process. Make one with InMemoryStore.withManualClock()." }
        time.advance(step.kotlin())
    }

    /** Ends what [client] is made of, without a word to the store. */
    fun crash(client: Signalbox) {
        val scope = scopes.remove(client.views().core)
        requireNotNull(scope) { "The client must be one of this store that has not crashed yet, but was $client." }
        scope.cancel()
    }

    companion object {
        @JvmStatic
        fun realTime(): Memory = Memory(InMemoryStore(), time = null)

        @JvmStatic
        fun manualTime(): Memory = ManualTime().let { Memory(InMemoryStore(it.source), it) }
    }
}
