package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.measure.Summary
import java.util.Locale
import kotlinx.serialization.Serializable

/** One figure beside its target, as in `P1 uncontended_vs_raw 5.4 target 6.0 short`. */
@Serializable
internal class FigureLine(
    val id: String,
    val name: String,
    val value: Summary,
    val target: Double,
    /** Whether the target is the least that will do, or the most. */
    val atLeast: Boolean,
    val ok: Boolean,
    val digits: Int,
) {
    override fun toString(): String = "$id $name ${text(value.median)} target ${text(target)} ${if (ok) "ok" else "short"}"

    private fun text(number: Double) = "%.${digits}f".format(Locale.ROOT, number)

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
    }
}
