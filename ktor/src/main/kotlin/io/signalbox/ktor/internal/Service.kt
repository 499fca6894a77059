package io.signalbox.ktor.internal

import io.ktor.server.application.Application
import io.ktor.util.AttributeKey
import io.signalbox.Signalbox
import io.signalbox.SignalboxClosedException
import io.signalbox.ktor.SignalboxConfig
import io.signalbox.timers.Timers
import kotlinx.coroutines.CompletableJob
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** What an application has of us, from its beginning to its end. */
internal class Service private constructor(
    val client: Signalbox,
    val timers: Timers?,
    private val handles: Boolean,
) {
    /** Complete from the moment on at which the application begins to stop. */
    val stopping: CompletableJob = Job()

    @Volatile
    private var worker: Job? = null

    fun run(application: Application) {
        val timers = timers
        if (timers == null || !handles || stopping.isCompleted) return
        // A child of the application: what its handlers throw past their timers is logged there.
        worker =
            CoroutineScope(application.coroutineContext).launch {
                try {
                    timers.run()
                } catch (closed: SignalboxClosedException) {
                    // By the user, before the application was stopped: there is nothing left to handle.
                    application.environment.log.info("Timers are not handled any more: {}", closed.message)
                }
            }
    }

    fun beginStopping() {
        stopping.complete()
        worker?.cancel()
    }

    /** Called where Ktor itself blocks until the application's coroutines have ended. */
    fun stop() {
        beginStopping()
        // Ktor gives up on them after its shutdown timeout; handlers of timers have the drain timeout, which the worker keeps.
        worker?.let { runBlocking { it.join() } }
        client.close()
    }

    companion object {
        val KEY = AttributeKey<Service>("Signalbox.Service")

        fun start(config: SignalboxConfig): Service {
            val client = config.client()
            val timers =
                try {
                    config.timersOf(client)
                } catch (problem: Throwable) {
                    // The application will not start, and so never stop.
                    client.close()
                    throw problem
                }
            return Service(client, timers?.first, timers?.second ?: false)
        }
    }
}

internal val Application.service: Service
    get() =
        checkNotNull(attributes.getOrNull(Service.KEY)) {
            "The plugin Signalbox is not installed in this application: install(Signalbox) { redis = ... } first."
        }
