package io.signalbox.ktor

import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationPlugin
import io.ktor.server.application.ApplicationStarted
import io.ktor.server.application.ApplicationStopPreparing
import io.ktor.server.application.ApplicationStopped
import io.ktor.server.application.ApplicationStopping
import io.ktor.server.application.createApplicationPlugin
import io.ktor.server.application.hooks.MonitoringEvent
import io.signalbox.Signalbox as Client
import io.signalbox.ktor.internal.Needed
import io.signalbox.ktor.internal.Service
import io.signalbox.ktor.internal.service
import io.signalbox.timers.Timers

/**
 * A Signalbox client, and timers if they are asked for, that live as long as the application.
 *
 * ```
 * install(Signalbox) {
 *     redis = "redis://localhost"
 *     namespace = "billing"
 *     timers(context = app) { include(router) }
 * }
 * ```
 *
 * What is in the application's configuration under `signalbox` is the default of each setting, so that `install(Signalbox)` may be all there is to write. The
 * server need not be there yet: connecting begins with the first use, and handles of `lazySemaphore` and the like join then.
 *
 * **The beginning.** The client is there from `install` on, as [Application.signalbox]. Timers are handled from the moment at which the application has started.
 *
 * **The end**, in this order: when the engine begins to stop, workers of timers take no more, and requests that wait in [limitConcurrency] are told so, so that the
 * engine's grace period is left to those that run. When the application has stopped, what handlers are still running are waited for, at most their
 * `drainTimeout`; then the client is closed, which gives back what is held within a round trip. So a handler, and a request until the engine gives it up, can use
 * the client to its last line. All of this happens on `SIGTERM` as well, by Ktor's shutdown hook.
 *
 * Installing it fails with an [IllegalStateException] on a Ktor older than 3.4, or a standard library of Kotlin older than 2.3: the text
 * has what was found and what is needed.
 */
public val Signalbox: ApplicationPlugin<SignalboxConfig> =
    createApplicationPlugin("Signalbox", "signalbox", ::SignalboxConfig) {
        Needed.check()
        val service = Service.start(pluginConfig)
        application.attributes.put(Service.KEY, service)
        on(MonitoringEvent(ApplicationStarted)) { service.run(it) }
        on(MonitoringEvent(ApplicationStopPreparing)) { service.beginStopping() }
        // Hosts without an engine begin here.
        on(MonitoringEvent(ApplicationStopping)) { service.beginStopping() }
        on(MonitoringEvent(ApplicationStopped)) { service.stop() }
    }

/**
 * The client of this application.
 *
 * @throws IllegalStateException if the plugin [Signalbox] is not installed.
 */
public val Application.signalbox: Client get() = service.client

/**
 * The timers of this application.
 *
 * @throws IllegalStateException if the plugin [Signalbox] is not installed, or not told of [timers][SignalboxConfig.timers].
 */
public val Application.timers: Timers
    get() =
        checkNotNull(service.timers) {
            "This application has no timers. Tell the plugin of them: install(Signalbox) { timers { include(router) } }."
        }
