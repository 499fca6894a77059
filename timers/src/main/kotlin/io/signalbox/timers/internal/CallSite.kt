package io.signalbox.timers.internal

import io.signalbox.InternalSignalboxApi

/** Where in the user's source something was called. */
@InternalSignalboxApi
public object CallSite {
    private val walker = StackWalker.getInstance()
    private const val OWN = "io.signalbox.timers."
    private val ownClasses = setOf("TimerRouterBuilder", "TimerRouterKt", "TimersSettings", "internal.CallSite")
    private val javaClasses = listOf("io.signalbox.java.internal.", "io.signalbox.java.timers.TimerRouter")

    public fun find(): String =
        walker.walk { frames ->
            frames
                .filter { frame -> frame.className.removePrefix(OWN).substringBefore('$') !in ownClasses }
                .filter { frame -> javaClasses.none { frame.className.startsWith(it) } }
                .findFirst()
                .map { "${it.className.substringBefore('$')} (${it.fileName}:${it.lineNumber})" }
                .orElse("an unknown place")
        }
}
