package io.signalbox.timers

import io.signalbox.InternalSignalboxApi
import io.signalbox.timers.internal.CallSite

/** Which handler gets which topic. Made by [timerRouter]; several of them can be included in one service. */
public class TimerRouter<C> internal constructor(
    internal val routes: List<Route<C, *>>,
) {
    override fun toString(): String = "TimerRouter(${routes.joinToString { it.topic.name }})"
}

/** The handler of one topic, and where in the source it was named. */
internal class Route<C, T>(
    val topic: Topic<T>,
    val settings: TopicSettings,
    val handler: suspend TimerScope<C>.(T) -> Unit,
    val place: String,
)

/**
 * Makes a router for handlers with a context of type [C].
 *
 * ```
 * val router = timerRouter<App> {
 *     on(Reminders) { reminder -> context.mail.send(reminder.message) }
 * }
 * ```
 *
 * @throws IllegalArgumentException if a topic has two handlers; the text names both places.
 */
public fun <C> timerRouter(build: TimerRouterBuilder<C>.() -> Unit): TimerRouter<C> =
    TimerRouter(TimerRouterBuilder<C>().apply(build).routes.values.toList())

/** Collects handlers. */
public class TimerRouterBuilder<C> internal constructor() {
    internal val routes = LinkedHashMap<String, Route<C, *>>()

    /**
     * Has timers of [topic] handled by [handler].
     *
     * A handler that returns has succeeded. One that throws has failed, and the timer comes again as [settings] say. It runs in the context
     * of the coroutine that called [Timers.run], and may run more than once for the same timer: at least once is the promise.
     *
     * @throws IllegalArgumentException if the topic has a handler already.
     */
    public fun <T> on(
        topic: Topic<T>,
        settings: TopicSettings.() -> Unit = {},
        handler: suspend TimerScope<C>.(T) -> Unit,
    ) {
        add(Route(topic, TopicSettings().apply(settings), handler, CallSite.find()))
    }

    /** As the other, named elsewhere: for builders around this one. */
    @InternalSignalboxApi
    public fun <T> on(
        topic: Topic<T>,
        settings: TopicSettings.() -> Unit,
        place: String,
        handler: suspend TimerScope<C>.(T) -> Unit,
    ) {
        add(Route(topic, TopicSettings().apply(settings), handler, place))
    }

    /** Takes over all handlers of [router]. */
    public fun include(router: TimerRouter<C>) {
        router.routes.forEach(::add)
    }

    internal fun add(route: Route<C, *>) {
        val known = routes.putIfAbsent(route.topic.name, route)
        require(known == null || known === route) {
            "The topic '${route.topic.name}' has two handlers: one from ${known!!.place}, one from ${route.place}. " +
                "Remove one of them, or name another topic."
        }
    }
}
