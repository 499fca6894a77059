package io.signalbox.examples

import io.signalbox.Signalbox
import io.signalbox.quorum.SignalboxQuorum
import io.signalbox.quorum.connectQuorum
import io.signalbox.quorum.withLock
import io.signalbox.quorum.withPermit
import kotlin.time.Duration.Companion.seconds

// What docs/quorum.md shows; `ReadmeTest` keeps the two the same, `QuorumTest` runs it.

public suspend fun quorum(
    uris: List<String>,
    write: suspend (fencingToken: Long) -> Unit,
    export: suspend () -> Unit,
): SignalboxQuorum {
    val (a, b, c) = uris
    // region quorum
    val quorum = Signalbox.connectQuorum(listOf(a, b, c)) { lease = 3.seconds }

    quorum.mutex("nightly-report").withLock { permit -> write(permit.fencingToken) }

    quorum.semaphore("exports", permits = 4).withPermit { export() }
    // endregion
    return quorum
}
