package io.signalbox.benchmarks.contender

import io.signalbox.Permit
import io.signalbox.Signalbox
import io.signalbox.quorum.QuorumMutex
import io.signalbox.quorum.SignalboxQuorum
import io.signalbox.quorum.connectQuorum
import io.signalbox.quorum.withLock
import kotlin.time.Duration.Companion.seconds

/** This library's mutex on three independent masters. */
internal class QuorumContender private constructor(
    private val client: SignalboxQuorum,
    private val mutex: QuorumMutex,
) : Contender {
    override suspend fun acquire(): Any = mutex.lock()

    override suspend fun release(grant: Any) {
        check((grant as Permit).release()) { "A permit was lost: $grant" }
    }

    override suspend fun withPermit(block: suspend (grant: Any) -> Unit) = mutex.withLock { block(it) }

    override fun tokenOf(grant: Any): Long = (grant as Permit).fencingToken

    override suspend fun granted(): Long? = null

    override suspend fun isAwaited(): Boolean = mutex.snapshot().waiting > 0

    override fun close() = client.close()

    companion object {
        suspend fun open(arena: Arena): QuorumContender {
            require(arena.permits == 1) { "A mutex has one permit, not ${arena.permits}." }
            val client =
                Signalbox.connectQuorum(arena.masterUris()) {
                    namespace = "bench"
                    // Masters that are used for the first time vote after one of these. Nothing is renewed in a round.
                    lease = 3.seconds
                }
            val mutex = client.mutex(arena.name)
            mutex.lock().release()
            return QuorumContender(client, mutex)
        }
    }
}
