package io.signalbox.examples.demo.semaphore

import io.signalbox.SemaphoreSnapshot
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds

/** Where the audience looks. */
internal interface View : AutoCloseable {
    /** The workers are being started. */
    fun open(redis: String)

    /** Something happened; called in the order of time. */
    fun tell(happening: Happening, scene: Scene)

    /** What it looks like now; called several times a second. */
    fun show(scene: Scene)

    /** The curtain: what was found out, and in one line what it means. */
    fun conclude(findings: List<Finding>, verdict: String)

    /** Gives the terminal back as it was. */
    override fun close() {}
}

/** What can be seen at one moment. */
internal class Scene(
    val crew: Crew,
    val journal: Journal,
    /** When the competition began; null before. */
    val start: Long?,
    /** The latest look at the server. */
    val snapshot: SemaphoreSnapshot?,
) {
    fun sinceStart(moment: Long): Duration = (moment - (start ?: moment)).nanoseconds
}
