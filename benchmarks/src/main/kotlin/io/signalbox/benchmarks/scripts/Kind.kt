package io.signalbox.benchmarks.scripts

import io.signalbox.benchmarks.figure.FigureLine
import io.signalbox.benchmarks.measure.Summary

/** The kinds of exchange, with the most that they may take where that is promised. */
internal enum class Kind(
    val title: String,
    val target: Double?,
) {
    NO_OP("no-op", null),
    LONE_ACQUIRE("lone-acquire", 10.0),
    LONE_RELEASE("lone-release", 10.0),
    BATCH("batch-of-500", 10.0),
    HAND_OFF("hand-off", null),
    HEARTBEAT("heartbeat", 10.0),
    ;

    fun line(price: Summary): FigureLine =
        if (target == null) {
            FigureLine.shown("script", "$title us", price, digits = 1)
        } else {
            FigureLine.atMost("script", "$title us", price, target, digits = 1)
        }
}
