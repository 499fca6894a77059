package io.signalbox.internal

import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.LedgerName
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.random.Random
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.slf4j.LoggerFactory

/**
 * Keeps the keys of whatever somebody has a handle of, used or not: one coroutine per client, one command per hundred names and third of a
 * retention.
 */
internal class Keeper(
    private val ledger: Ledger,
    private val settings: CoordinationSettings,
    private val scope: CoroutineScope,
    private val names: () -> List<LedgerName>,
) {
    private val isStarted = AtomicBoolean()

    /** Called whenever there is a handle. */
    fun start() {
        if (isStarted.compareAndSet(false, true)) scope.launch { keepForEver() }
    }

    private suspend fun keepForEver() {
        while (true) {
            delay((settings.refreshNanos * Random.nextDouble(0.8, 1.0)).toLong().nanoseconds)
            names().chunked(Ledger.KEPT_AT_ONCE).ifEmpty { listOf(emptyList()) }.forEach { some ->
                var more = keep(some)
                while (more) more = keep(emptyList())
            }
        }
    }

    private suspend fun keep(some: List<LedgerName>): Boolean {
        var attempt = 0
        while (true) {
            try {
                return ledger.keep(some)
            } catch (failure: LedgerFailure) {
                log.debug("Could not renew the retention of {} names", some.size, failure.error)
                if (failure.final) return false
            }
            delay(settings.backoffNanos(attempt++).nanoseconds)
        }
    }

    private companion object {
        val log = LoggerFactory.getLogger(Keeper::class.java)
    }
}
