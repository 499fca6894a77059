package io.signalbox.timers.internal

/** Where in the user's source something was called. */
internal object CallSite {
    private val walker = StackWalker.getInstance()
    private const val OWN = "io.signalbox.timers."
    private val ownClasses = setOf("TimerRouterBuilder", "TimerRouterKt", "TimersSettings", "internal.CallSite")

    fun find(): String =
        walker.walk { frames ->
            frames
                .filter { frame -> frame.className.removePrefix(OWN).substringBefore('$') !in ownClasses }
                .findFirst()
                .map { "${it.className.substringBefore('$')} (${it.fileName}:${it.lineNumber})" }
                .orElse("an unknown place")
        }
}
