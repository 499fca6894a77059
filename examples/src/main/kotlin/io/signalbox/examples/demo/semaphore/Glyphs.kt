package io.signalbox.examples.demo.semaphore

import kotlin.math.roundToInt

/** What bars are drawn with. */
internal class Glyphs private constructor(val full: String, val empty: String) {
    /** A bar of which [share], from 0 to 1, is full. */
    fun bar(share: Double, width: Int): String {
        val filled = (share.coerceIn(0.0, 1.0) * width).roundToInt()
        return full.repeat(filled) + empty.repeat(width - filled)
    }

    companion object {
        /** Blocks where the locale says that the terminal knows them. */
        fun ofTerminal(): Glyphs {
            val locale = listOf("LC_ALL", "LC_CTYPE", "LANG").firstNotNullOfOrNull { System.getenv(it)?.ifEmpty { null } }.orEmpty()
            val isUnicode = locale.replace("-", "").endsWith("UTF8", ignoreCase = true)
            return if (isUnicode) Glyphs("\u2588", "\u2591") else Glyphs("#", ".")
        }
    }
}
