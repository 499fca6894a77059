package io.signalbox.java.internal

import java.util.concurrent.Executor
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.ThreadPoolExecutor
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger

/**
 * At most [most] threads, made when they are needed, that end when they have nothing to do for a while: nothing of them is left in a container
 * from which the application was taken. Their context class loader is the library's; thread locals are not inherited.
 */
internal fun passingThreads(
    name: String,
    most: Int,
): Executor {
    val number = AtomicInteger()
    return ThreadPoolExecutor(most, most, IDLE_SECONDS, TimeUnit.SECONDS, LinkedBlockingQueue()) { task ->
        Thread(null, task, "$name-${number.incrementAndGet()}", 0, false).apply {
            isDaemon = true
            contextClassLoader = Calls::class.java.classLoader
        }
    }.apply { allowCoreThreadTimeOut(true) }
}

private const val IDLE_SECONDS = 5L
