package io.signalbox.benchmarks.scripts

import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.Signalbox
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async

/** With a lease so long that no heartbeat comes between, unless one is given. */
internal fun client(
    uri: String,
    lease: Duration = 12.hours,
) = Signalbox.connect(uri) {
    namespace = "bench-scripts"
    this.lease = lease
    retention = 12.hours
}

/** Has asked when this returns. */
internal fun CoroutineScope.acquiring(semaphore: Semaphore): Deferred<Permit> =
    async(start = CoroutineStart.UNDISPATCHED) { semaphore.acquire() }
