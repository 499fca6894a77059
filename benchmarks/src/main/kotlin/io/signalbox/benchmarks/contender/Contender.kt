package io.signalbox.benchmarks.contender

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers

/** One client's way of acquiring and releasing, to be run beside the others. */
internal interface Contender : AutoCloseable {
    /** Where its loops run. */
    val dispatcher: CoroutineDispatcher get() = Dispatchers.Default

    /** Suspends until granted; returns what [release] needs. */
    suspend fun acquire(): Any

    /** Awaited to the server's answer. */
    suspend fun release(grant: Any)

    /** The contender's block form: its own, or the one that its users write. */
    suspend fun withPermit(block: suspend (grant: Any) -> Unit) {
        val grant = acquire()
        try {
            block(grant)
        } finally {
            release(grant)
        }
    }

    /** Suspends until everything that was given back without waiting has reached the server. */
    suspend fun settle() = Unit

    /** The fencing token of a grant, if this contender's tokens rise in the order of grants; otherwise 0. */
    fun tokenOf(grant: Any): Long = 0

    /**
     * How many acquires have been granted so far, as counted on the server and not by the client; `null` if it grants nothing, or if there
     * are several servers, none of which can tell.
     */
    suspend fun granted(): Long?

    /** Called when nothing has happened for seconds though it should: for peers that were seen to hang. */
    suspend fun wakeUp() = Unit

    /** Whether somebody waits in this arena, as seen on the server. */
    suspend fun isAwaited(): Boolean = error("${this::class.simpleName} cannot tell whether somebody waits.")
}

/** Where contenders of one kind meet: a name of its own on one server, for so many permits and so many coroutines. */
internal class Arena(
    val uri: String,
    val name: String,
    val permits: Int,
    val coroutines: Int,
    val statistics: Statistics,
    /** Where a cluster is, for who needs one. */
    val clusterUri: () -> String = { error("There is no cluster in this run.") },
    /** Where three servers are that know nothing of each other, for who needs them. */
    val masterUris: () -> List<String> = { error("There are no independent masters in this run.") },
)
