package io.signalbox.internal.redis

/** Does [action] at the first call, and gives its result at every one: the driver warns of a connection that is closed twice. */
internal class Once<T>(
    action: () -> T,
) {
    private val result by lazy(action)

    operator fun invoke(): T = result
}
