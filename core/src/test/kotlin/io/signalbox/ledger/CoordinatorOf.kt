package io.signalbox.ledger

import io.signalbox.internal.ClientTime
import io.signalbox.internal.Observers
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.NanoClock
import io.signalbox.internal.coordination.SemaphoreCoordinator
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerName
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.testTimeSource

/** What a client has for the semaphore `api`, or the event, over [line] and in virtual time. */
internal fun TestScope.coordinatorOf(
    line: Ledger,
    storeTimeoutMillis: Long = 5_000,
    kind: Kind = Kind.SEMAPHORE,
    leaseMillis: Long = 10_000,
    clock: NanoClock = virtualClock(),
    observers: Observers = Observers(),
): SemaphoreCoordinator =
    SemaphoreCoordinator(
        LedgerName(kind, "api"),
        line,
        ClientIdentity(),
        CoordinationSettings(
            "label",
            leaseMillis,
            retentionMillis = 3_600_000,
            storeTimeoutMillis,
            ClientTime.of(coroutineContext),
        ),
        clock,
        backgroundScope,
        observers,
        elsewhere = Runnable::run,
    )

internal fun TestScope.virtualClock(): NanoClock = testTimeSource.markNow().let { origin ->
    NanoClock { origin.elapsedNow().inWholeNanoseconds }
}
