package io.signalbox.micrometer.internal

import io.signalbox.SignalboxClosedException
import io.signalbox.SignalboxException
import kotlin.time.Duration
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import org.slf4j.LoggerFactory

/**
 * Asks the store at once and then [every] so often, until it is cancelled or the client closed. What cannot be had is [unknown], which is not an old figure.
 *
 * The scope is this coroutine's own: a registry has none, and a binding lives from `bindTo` to `close`.
 */
internal fun asking(
    every: Duration,
    unknown: () -> Unit,
    ask: suspend () -> Unit,
): Job =
    CoroutineScope(Dispatchers.Default).launch {
        while (true) {
            try {
                ask()
            } catch (_: SignalboxClosedException) {
                unknown()
                break
            } catch (problem: SignalboxException) {
                log.debug("The store could not be asked for figures", problem)
                unknown()
            } catch (problem: RuntimeException) {
                if (problem is CancellationException) throw problem
                // A topic that the service does not know, for instance: it will not know it later either.
                log.warn("Figures of the store are not asked for any more", problem)
                unknown()
                break
            }
            delay(every)
        }
    }

private val log = LoggerFactory.getLogger("io.signalbox.micrometer.SignalboxMetrics")
