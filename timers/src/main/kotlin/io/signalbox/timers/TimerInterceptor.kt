package io.signalbox.timers

/**
 * Goes around every handler of a service: for a transaction, a trace, a logging context. Added by [TimersSettings.intercept].
 *
 * What it throws, or lets pass, is the handler's failure; if it does not call [proceed][around], the handler does not run and has
 * succeeded.
 */
public fun interface TimerInterceptor<C> {
    /** Called in the handler's coroutine, after the payload was decoded. Calls `proceed` once. */
    public suspend fun around(
        timer: TimerScope<C>,
        proceed: suspend () -> Unit,
    )
}
