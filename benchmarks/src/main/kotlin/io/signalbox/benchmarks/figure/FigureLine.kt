package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.measure.Summary
import java.math.BigDecimal
import java.util.Locale
import kotlinx.serialization.Serializable

/** One figure beside its target, as in `P1 uncontended_vs_raw 5.4 target 8 short`. */
@Serializable
internal class FigureLine(
    val id: String,
    val name: String,
    val value: Summary,
    /** `null` for what is shown and not promised. */
    val target: Double?,
    /** Whether the target is the least that will do, or the most. */
    val atLeast: Boolean,
    val ok: Boolean,
    val digits: Int,
) {
    override fun toString(): String {
        val shown = "$id $name ${"%.${digits}f".format(Locale.ROOT, value.median)}"
        return if (target == null) "$shown no target" else "$shown target ${plain(target)} ${if (ok) "ok" else "short"}"
    }

    private fun plain(number: Double) = BigDecimal.valueOf(number).stripTrailingZeros().toPlainString()

    companion object {
        fun atLeast(
            id: String,
            name: String,
            value: Summary,
            target: Double,
            digits: Int = 1,
        ) = FigureLine(id, name, value, target, atLeast = true, ok = value.median >= target, digits)

        /** [excused]: another way to meet the figure, where it has one. */
        fun atMost(
            id: String,
            name: String,
            value: Summary,
            target: Double,
            digits: Int = 2,
            excused: Boolean = false,
        ) = FigureLine(id, name, value, target, atLeast = false, ok = value.median <= target || excused, digits)

        fun shown(
            id: String,
            name: String,
            value: Summary,
            digits: Int = 2,
        ) = FigureLine(id, name, value, target = null, atLeast = true, ok = true, digits)
    }
}
