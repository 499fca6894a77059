package io.signalbox.micrometer.internal

import io.signalbox.internal.Requirements
import io.signalbox.internal.Requirements.Requirement

/** The versions of Micrometer that this module runs with; whoever binds meters asks here first. */
internal object Needed {
    val all: List<Requirement> =
        listOf(
            requirement("micrometer-core", "io.micrometer.core.instrument.MeterRegistry"),
            requirement("micrometer-observation", "io.micrometer.observation.ObservationRegistry"),
        )

    fun check() = Requirements.check(all)

    private fun requirement(
        name: String,
        className: String,
    ) = Requirement(name, "1.16.0", "micrometer.version") { Requirements.manifest(className, Needed::class.java.classLoader) }
}
