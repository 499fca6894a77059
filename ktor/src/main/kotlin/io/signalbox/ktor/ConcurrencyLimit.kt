package io.signalbox.ktor

import io.ktor.server.application.ApplicationCall
import io.ktor.server.http.HttpRequestLifecycle
import io.ktor.server.routing.Route
import io.ktor.server.routing.RouteSelector
import io.ktor.server.routing.RouteSelectorEvaluation
import io.ktor.server.routing.RoutingResolveContext
import io.ktor.server.routing.application
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SemaphoreSettings
import io.signalbox.ktor.internal.Limiter
import io.signalbox.ktor.internal.service
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Lets at most [permits] requests at a time into the routes of [build], over all instances of the application.
 *
 * ```
 * routing {
 *     limitConcurrency("exports", permits = 5, wait = 2.seconds) {
 *         get("/export") { call.respondText(export(call.permit.fencingToken)) }
 *     }
 * }
 * ```
 *
 * Each request takes a permit of the semaphore [name] before its handler runs, after authentication, and gives it back when the handler has ended, whatever
 * way. First come, first served, over all instances. One that gets none answers 503, see [Rejection] for the reasons; with `Retry-After` if trying again helps. A
 * request whose permit is lost while its handler runs is cancelled, and answers 503 if it has not answered yet. One whose client goes away leaves the queue, and is
 * cancelled if it runs already, with engines that tell (Netty and CIO; see [ConcurrencyLimitSettings.cancelOnDisconnect]).
 *
 * The semaphore is created, or joined, with the first request, so that the application starts without the server; if it exists with another number of permits the
 * request fails with [io.signalbox.PermitsMismatchException]. Routes with the same name share the permits.
 *
 * @param name of the semaphore, under the rules for names.
 * @param permits how many requests at a time, over all instances; 0 lets nobody in until it is resized.
 * @param wait how long a request may wait for a permit; zero not at all.
 * @throws IllegalArgumentException if an argument or a setting is out of range.
 * @throws IllegalStateException if the plugin [Signalbox] is not installed before.
 */
public fun Route.limitConcurrency(
    name: String,
    permits: Int,
    wait: Duration = Duration.ZERO,
    configure: ConcurrencyLimitSettings.() -> Unit = {},
    build: Route.() -> Unit,
): Route {
    val settings = ConcurrencyLimitSettings().apply(configure).apply { check(wait) }
    val service = application.service
    val semaphore = service.client.lazySemaphore(name, permits, settings.semaphore)
    return limited(Limiter(semaphore, wait, settings, service), settings, build)
}

/** As the other, by a [semaphore] that exists: one that is shared with what else the application does, or was attached. */
public fun Route.limitConcurrency(
    semaphore: Semaphore,
    wait: Duration = Duration.ZERO,
    configure: ConcurrencyLimitSettings.() -> Unit = {},
    build: Route.() -> Unit,
): Route {
    val settings = ConcurrencyLimitSettings().apply(configure).apply { check(wait) }
    return limited(Limiter(semaphore, wait, settings, application.service), settings, build)
}

private fun Route.limited(
    limiter: Limiter,
    settings: ConcurrencyLimitSettings,
    build: Route.() -> Unit,
): Route {
    val route = createChild(LimitSelector(limiter.name))
    if (settings.cancelOnDisconnect) route.install(HttpRequestLifecycle) { cancelCallOnClose = true }
    route.install(limiter.plugin())
    route.build()
    return route
}

/** Every request, and nothing but a place in the tree of routes. */
private class LimitSelector(
    private val name: String,
) : RouteSelector() {
    override suspend fun evaluate(
        context: RoutingResolveContext,
        segmentIndex: Int,
    ): RouteSelectorEvaluation = RouteSelectorEvaluation.Transparent

    override fun toString(): String = "(limit $name)"
}

/** The permit that this request runs under, the innermost one of nested [limitConcurrency]. */
public val ApplicationCall.permit: Permit
    get() =
        checkNotNull(attributes.getOrNull(Limiter.PERMIT)) {
            "This request runs under no permit: its route is not within limitConcurrency(...)."
        }

/** Settings of one [limitConcurrency]. */
public class ConcurrencyLimitSettings internal constructor() {
    /**
     * How many requests of this route in this instance may be between asking for a permit and the answer; the next one is rejected at once. What keeps an overloaded
     * instance from collecting requests that nobody waits for any more. 1 to 1 000 000.
     */
    public var maxWaiting: Int = 256

    /** What `Retry-After` says, rounded up to seconds; by default as long as a request may wait, a second at least. */
    public var retryAfter: Duration? = null

    /** How long a request that may not wait is kept without an answer of the server; 10 ms or more. One that may wait is kept for that time. */
    public var storeTimeout: Duration = 2.seconds

    /**
     * Whether a request is cancelled when its client goes away, also while its handler runs: Ktor's `HttpRequestLifecycle` on these routes. If not, it keeps its place
     * in the queue and runs.
     */
    public var cancelOnDisconnect: Boolean = true

    /** What answers a request that is rejected; by default [ApplicationCall.respondRejection]. */
    public var onRejection: suspend (call: ApplicationCall, rejection: Rejection, retryAfter: Duration) -> Unit =
        { call, rejection, retryAfter -> call.respondRejection(rejection, retryAfter) }

    internal var semaphore: SemaphoreSettings.() -> Unit = {}
        private set

    /** Settings of the semaphore, such as how long a permit may be held at most. */
    public fun semaphore(configure: SemaphoreSettings.() -> Unit) {
        semaphore = configure
    }

    internal fun check(wait: Duration) {
        require(wait.isFinite() && !wait.isNegative()) { "wait must be finite and not negative, but was $wait." }
        require(maxWaiting in 1..MOST_WAITING) { "maxWaiting must be 1 to $MOST_WAITING, but was $maxWaiting." }
        require(storeTimeout >= LEAST_TIMEOUT) { "storeTimeout must be at least $LEAST_TIMEOUT, but was $storeTimeout." }
        retryAfter?.let { require(it.isFinite() && !it.isNegative()) { "retryAfter must be finite and not negative, but was $it." } }
    }

    private companion object {
        const val MOST_WAITING = 1_000_000
        val LEAST_TIMEOUT = 0.01.seconds
    }
}
