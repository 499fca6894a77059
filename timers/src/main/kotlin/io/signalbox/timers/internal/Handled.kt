package io.signalbox.timers.internal

import io.signalbox.InternalSignalboxApi
import io.signalbox.timers.TimersSettings

/** Whether a service with these settings has anything to handle, or only sets timers. */
@InternalSignalboxApi
public fun handlesAnything(settings: TimersSettings<*>): Boolean = settings.routes.isNotEmpty()
