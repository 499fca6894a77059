package io.signalbox.internal

import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlin.time.Duration
import kotlinx.coroutines.Job

/**
 * Keeps the process alive while a client says goodbye, which runs on threads that do not: by a thread that is no daemon where `main` has
 * returned, and by a shutdown hook where somebody calls `exit` or a signal has come.
 */
internal class ProcessEnd(
    ended: Job,
    private val patience: Duration,
) {
    private val latch = CountDownLatch(1)

    /** Whether the process is ending already: hooks are running, and nobody waits for other threads any more. */
    private val isEnding: Boolean

    init {
        ended.invokeOnCompletion { latch.countDown() }
        val hook = thread("signalbox-shutdown") { await() }
        isEnding = !added(hook)
        if (!isEnding) {
            thread("signalbox-closing") {
                await()
                removed(hook)
            }.start()
        }
    }

    /** Called by whoever closes the client: waits if the process would end before the goodbye otherwise. */
    fun awaitIfEnding() {
        if (isEnding || isProcessEnding()) await()
    }

    private fun await() {
        latch.await(patience.inWholeMilliseconds, TimeUnit.MILLISECONDS)
    }

    companion object {
        private fun thread(
            name: String,
            run: () -> Unit,
        ): Thread = ownThread(name, isDaemon = false, run)

        private fun isProcessEnding(): Boolean = ownThread("signalbox-look", isDaemon = true) { }.let { !(added(it) && removed(it)) }

        private fun added(hook: Thread): Boolean = whileAlive { Runtime.getRuntime().addShutdownHook(hook) }

        private fun removed(hook: Thread): Boolean = whileAlive { Runtime.getRuntime().removeShutdownHook(hook) }

        private inline fun whileAlive(action: () -> Unit): Boolean =
            try {
                action()
                true
            } catch (_: IllegalStateException) {
                false
            }
    }
}

/**
 * A thread of this library: it inherits no thread locals of whoever happens to need it first, and its context class loader is the
 * library's own.
 */
internal fun ownThread(
    name: String,
    isDaemon: Boolean,
    run: Runnable,
): Thread =
    Thread(null, run, name, 0, false).apply {
        this.isDaemon = isDaemon
        contextClassLoader = ProcessEnd::class.java.classLoader
    }
