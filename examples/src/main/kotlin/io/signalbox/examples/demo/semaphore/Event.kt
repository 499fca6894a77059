package io.signalbox.examples.demo.semaphore

/** What can happen in a run: the [Report]s of the workers, and what the parent does. */
internal sealed interface Event {
    /** When, in nanoseconds of the machine's monotonic clock, which all its processes share. */
    val at: Long
}

/** The parent has killed a worker; [at] is not later than its death. */
internal class Killed(override val at: Long) : Event

/** Something the audience is told. [weight] says how much it matters. */
internal class Happening(override val at: Long, val text: String, val weight: Weight = Weight.ROUTINE) : Event {
    enum class Weight { ROUTINE, NOTABLE, GOOD, BAD }
}

/** An event and the worker it is about; [NOBODY] if it is about all. */
internal class News(val worker: Int, val event: Event) {
    companion object {
        const val NOBODY = 0
    }
}
