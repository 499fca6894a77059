package io.signalbox.benchmarks.contender

import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.withPermit

/** This library. */
internal class SignalboxContender private constructor(
    private val client: Signalbox,
    private val semaphore: Semaphore,
    private val areTokensOrdered: Boolean,
) : Contender {
    override suspend fun acquire(): Any = semaphore.acquire()

    override suspend fun release(grant: Any) {
        check((grant as Permit).release()) { "A permit was lost: $grant" }
    }

    override suspend fun withPermit(block: suspend (grant: Any) -> Unit) = semaphore.withPermit { block(it) }

    override fun tokenOf(grant: Any): Long = if (areTokensOrdered) (grant as Permit).fencingToken else 0

    override suspend fun granted(): Long = semaphore.snapshot(limit = 1).grants

    /** The pool algorithm cannot tell: it does not know who waits in another client. */
    override suspend fun isAwaited(): Boolean = semaphore.snapshot(limit = 1).queueLength > 0

    override fun close() = client.close()

    companion object {
        suspend fun open(
            arena: Arena,
            algorithm: SemaphoreAlgorithm = SemaphoreAlgorithm.Queue,
        ): SignalboxContender {
            val client = Signalbox.connect(arena.uri) { namespace = "bench" }
            return open(client, arena, algorithm)
        }

        suspend fun openOnCluster(arena: Arena): SignalboxContender =
            open(Signalbox.connectCluster(arena.clusterUri()) { namespace = "bench" }, arena, SemaphoreAlgorithm.Queue)

        private suspend fun open(
            client: Signalbox,
            arena: Arena,
            algorithm: SemaphoreAlgorithm,
        ): SignalboxContender {
            val semaphore = client.semaphore(arena.name, arena.permits) { this.algorithm = algorithm }
            return SignalboxContender(client, semaphore, areTokensOrdered = algorithm == SemaphoreAlgorithm.Queue)
        }
    }
}
