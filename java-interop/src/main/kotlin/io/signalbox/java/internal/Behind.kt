package io.signalbox.java.internal

import io.signalbox.InternalSignalboxApi
import io.signalbox.Signalbox as CoreSignalbox
import io.signalbox.java.Signalbox
import io.signalbox.java.internal.timers.TimersViews
import io.signalbox.java.timers.Timers
import io.signalbox.timers.Timers as CoreTimers

/** What is behind the views: for our modules that have a part for Java of their own. */
@InternalSignalboxApi
public object Behind {
    /** The client behind [signalbox]. */
    @JvmStatic
    public fun client(signalbox: Signalbox): CoreSignalbox = signalbox.views().core

    /** The service of timers behind [timers]. */
    @JvmStatic
    public fun timers(timers: Timers): CoreTimers =
        requireNotNull(timers as? TimersViews.BlockingView) { "Timers must be made by Timers.create(), but were $timers." }.views.core
}
