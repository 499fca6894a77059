package io.signalbox.ktor

import io.ktor.server.application.Application
import io.ktor.server.plugins.di.dependencies
import io.signalbox.Signalbox as Client
import io.signalbox.ktor.internal.service
import io.signalbox.timers.Timers

/**
 * Gives the client, and the timers if there are any, to Ktor's dependency injection, as `Signalbox` and `Timers`.
 *
 * ```
 * install(Signalbox)
 * provideSignalbox()
 *
 * val signalbox: io.signalbox.Signalbox by dependencies
 * ```
 *
 * The plugin goes on to close them. Needs Ktor's `ktor-server-di`.
 *
 * @throws IllegalStateException if the plugin [Signalbox] is not installed before.
 */
public fun Application.provideSignalbox() {
    val service = service
    dependencies {
        key<Client> {
            provide { service.client }
            // Whatever can be closed would be closed in an order of theirs.
            cleanup { }
        }
        service.timers?.let { timers -> provide<Timers> { timers } }
    }
}
