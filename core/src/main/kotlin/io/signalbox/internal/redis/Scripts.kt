package io.signalbox.internal.redis

/** The scripts of a semaphore. Tests replace the clock of those that read it, or have them keep an audit log, by [transform]. */
internal class Scripts(
    transform: (String) -> String = { it },
) {
    val open: Script = Script.of(listOf("common", "open"), transform)
    val exchange: Script = Script.of(EXCHANGE, transform)
    val snapshot: Script = Script.of(listOf("common", "snapshot"), transform)
    val delete: Script = Script.of(listOf("common", "delete"), transform)
    val keep: Script = Script.of(listOf("keep")) { it }
    val announce: Script = Script.of(listOf("announce")) { it }

    companion object {
        /** Sections in the order in which they run; the first stands alone. */
        private val EXCHANGE =
            listOf(
                "exchange/fast",
                "common",
                "exchange/known",
                "exchange/words",
                "exchange/expire",
                "exchange/leaves",
                "exchange/commands",
                "exchange/give",
                "exchange/acquire",
                "exchange/kept",
                "exchange/answer",
            )

        val production: Scripts = Scripts()
    }
}
