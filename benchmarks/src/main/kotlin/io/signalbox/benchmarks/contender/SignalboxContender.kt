package io.signalbox.benchmarks.contender

import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SemaphoreSettings
import io.signalbox.Signalbox

/** This library. */
internal class SignalboxContender private constructor(
    private val client: Signalbox,
    private val semaphore: Semaphore,
) : Contender {
    override suspend fun acquire(): Any = semaphore.acquire()

    override suspend fun release(grant: Any) {
        check((grant as Permit).release()) { "A permit was lost: $grant" }
    }

    override suspend fun granted(): Long = semaphore.snapshot(limit = 1).grants

    override suspend fun isAwaited(): Boolean = semaphore.snapshot(limit = 1).queueLength > 0

    override fun close() = client.close()

    companion object {
        suspend fun open(
            arena: Arena,
            configure: SemaphoreSettings.() -> Unit = {},
        ): SignalboxContender {
            val client = Signalbox.connect(arena.uri) { namespace = "bench" }
            return SignalboxContender(client, client.semaphore(arena.name, arena.permits, configure))
        }
    }
}
