package io.signalbox.ktor.internal

import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.ApplicationCallPipeline
import io.ktor.server.application.Hook
import io.ktor.server.application.RouteScopedPlugin
import io.ktor.server.application.createRouteScopedPlugin
import io.ktor.util.AttributeKey
import io.ktor.util.pipeline.PipelinePhase
import io.signalbox.LeaseLostException
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.TooManyWaitersException
import io.signalbox.ktor.ConcurrencyLimitSettings
import io.signalbox.ktor.Rejection
import io.signalbox.use
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import org.slf4j.LoggerFactory

/** Lets requests in one by one as they get permits. */
internal class Limiter(
    private val semaphore: Semaphore,
    private val wait: Duration,
    private val settings: ConcurrencyLimitSettings,
    private val service: Service,
) {
    val name: String get() = semaphore.name
    private val waiting = AtomicInteger()
    private val retryAfter = settings.retryAfter ?: maxOf(wait, 1.seconds)

    /** One of its own for each limit: they are nested like routes. */
    fun plugin(): RouteScopedPlugin<Unit> = createRouteScopedPlugin("Signalbox limit of $name") {
        on(Around) { call, proceed -> handle(call, proceed) }
    }

    private suspend fun handle(
        call: ApplicationCall,
        proceed: suspend () -> Unit,
    ) {
        val permit =
            when (val answer = ask()) {
                is Answer.Granted -> answer.permit
                is Answer.Rejected -> return settings.onRejection(call, answer.rejection, retryAfter)
            }
        val outer = call.attributes.getOrNull(PERMIT)
        try {
            permit.use {
                call.attributes.put(PERMIT, permit)
                proceed()
            }
        } catch (lost: LeaseLostException) {
            // Of this permit, and not one that the handler holds besides.
            if (lost.semaphore != name || lost.fencingToken != permit.fencingToken) throw lost
            log.warn("A request was cancelled: {}", lost.message)
            settings.onRejection(call, if (service.stopping.isCompleted) Rejection.STOPPING else Rejection.LEASE_LOST, retryAfter)
        } finally {
            if (outer == null) call.attributes.remove(PERMIT) else call.attributes.put(PERMIT, outer)
        }
    }

    private sealed interface Answer {
        class Granted(
            val permit: Permit,
        ) : Answer

        class Rejected(
            val rejection: Rejection,
        ) : Answer
    }

    private suspend fun ask(): Answer {
        if (service.stopping.isCompleted) return Answer.Rejected(Rejection.STOPPING)
        if (waiting.incrementAndGet() > settings.maxWaiting) {
            waiting.decrementAndGet()
            return Answer.Rejected(Rejection.TOO_MANY_WAITING)
        }
        try {
            return asked()
        } catch (problem: StoreUnavailableException) {
            log.warn("The limit '{}' could not be checked: {}", name, problem.message)
            return Answer.Rejected(Rejection.STORE_UNAVAILABLE)
        } catch (_: TooManyWaitersException) {
            // By a bound of the semaphore or the client.
            return Answer.Rejected(Rejection.TOO_MANY_WAITING)
        } catch (_: SignalboxClosedException) {
            return Answer.Rejected(Rejection.STOPPING)
        } finally {
            waiting.decrementAndGet()
        }
    }

    private suspend fun asked(): Answer {
        var permit: Permit? = null
        var delivered = false
        try {
            var answered = false
            val answer: suspend () -> Unit = {
                permit = untilStopping { semaphore.tryAcquire(timeout = wait) }
                answered = true
            }
            // The semaphore keeps to the time in which it may wait; without one it would wait for an answer of the server for longer than a request should.
            if (wait > Duration.ZERO) answer() else withTimeoutOrNull(settings.storeTimeout) { answer() }
            val granted = permit
            if (granted == null && !answered) throw StoreUnavailableException("The server gave no answer within ${settings.storeTimeout}.")
            currentCoroutineContext().ensureActive()
            delivered = true
            return if (granted == null) Answer.Rejected(Rejection.BUSY) else Answer.Granted(granted)
        } catch (cancelled: CancellationException) {
            currentCoroutineContext().ensureActive()
            if (service.stopping.isCompleted) return Answer.Rejected(Rejection.STOPPING)
            throw cancelled
        } finally {
            // Granted in the moment in which the request ended otherwise.
            if (!delivered) permit?.let { withContext(NonCancellable) { it.release() } }
        }
    }

    private suspend fun <T> untilStopping(request: suspend () -> T): T =
        coroutineScope {
            val registration = service.stopping.invokeOnCompletion { cancel() }
            try {
                request()
            } finally {
                registration.dispose()
            }
        }

    /** After everything that looks at requests, authentication among it, and around what handles them. */
    private object Around : Hook<suspend (ApplicationCall, suspend () -> Unit) -> Unit> {
        override fun install(
            pipeline: ApplicationCallPipeline,
            handler: suspend (ApplicationCall, suspend () -> Unit) -> Unit,
        ) {
            val phase = PipelinePhase("SignalboxLimit")
            pipeline.insertPhaseBefore(ApplicationCallPipeline.Call, phase)
            pipeline.intercept(phase) { handler(context) { proceed() } }
        }
    }

    companion object {
        val PERMIT = AttributeKey<Permit>("Signalbox.Permit")
        private val log = LoggerFactory.getLogger("io.signalbox.ktor.ConcurrencyLimit")
    }
}
