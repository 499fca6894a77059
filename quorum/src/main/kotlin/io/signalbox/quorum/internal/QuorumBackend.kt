package io.signalbox.quorum.internal

import io.signalbox.internal.BackendOwner
import io.signalbox.internal.ClientTime
import io.signalbox.internal.coordination.NanoClock

/** What handles need of their client. */
internal class QuorumBackend(
    private val host: BackendOwner,
    val titles: List<String>,
) {
    val clock: NanoClock get() = host.backend.clock
    val time: ClientTime get() = host.backend.settings.time

    suspend fun <T> untilClosed(request: suspend () -> T): T = host.untilClosed(request)
}
