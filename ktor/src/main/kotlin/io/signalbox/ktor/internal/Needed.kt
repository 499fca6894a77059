package io.signalbox.ktor.internal

import io.signalbox.internal.Requirements
import io.signalbox.internal.Requirements.Requirement

/** The version of Ktor that this module runs with, and what Ktor needs itself; the plugin asks here first. */
internal object Needed {
    val all: List<Requirement> =
        listOf(
            Requirement("ktor-server-core", "3.4.0", null) {
                Requirements.manifest("io.ktor.server.application.Application", Needed::class.java.classLoader)
            },
            Requirements.kotlin("2.3.0"),
        )

    fun check() = Requirements.check(all)
}
