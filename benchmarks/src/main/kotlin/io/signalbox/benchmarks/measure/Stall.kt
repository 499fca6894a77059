package io.signalbox.benchmarks.measure

import io.signalbox.benchmarks.contender.Contender
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

/** Runs [block]; when [progress] stands still for seconds, the contender may help itself, and after half a minute the check fails. */
internal suspend fun <T> unlessStalled(
    title: String,
    contender: Contender,
    progress: () -> Long,
    block: suspend () -> T,
): T =
    coroutineScope {
        val watch =
            launch {
                var last = progress()
                var still = 0
                while (true) {
                    delay(1.seconds)
                    val now = progress()
                    still = if (now == last) still + 1 else 0
                    last = now
                    if (still >= PATIENCE) contender.wakeUp()
                    if (still >= LIMIT) throw CheckFailure("$title: nothing has happened for $LIMIT seconds.")
                }
            }
        block().also { watch.cancel() }
    }

private const val PATIENCE = 2
private const val LIMIT = 30
