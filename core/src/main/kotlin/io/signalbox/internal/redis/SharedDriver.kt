package io.signalbox.internal.redis

import io.lettuce.core.resource.ClientResources
import io.lettuce.core.resource.DefaultClientResources
import java.util.concurrent.TimeUnit

/**
 * The driver's threads, which all clients made by [io.signalbox.Signalbox.connect] in one process share: begun with the first of them, ended
 * with the last.
 */
internal object SharedDriver {
    private var resources: ClientResources? = null
    private var users = 0

    @Synchronized
    fun begin(): ClientResources {
        users++
        return resources ?: DefaultClientResources.create().also { resources = it }
    }

    /** Called once for each [begin], when nothing of that client is under way any more. Does not wait for the threads. */
    @Synchronized
    fun end() {
        if (--users > 0) return
        resources?.shutdown(QUIET_MILLIS, LATEST_MILLIS, TimeUnit.MILLISECONDS)
        resources = null
    }

    /** What closed connections still have to say to the driver's threads comes within this. */
    private const val QUIET_MILLIS = 100L
    private const val LATEST_MILLIS = 2000L
}
