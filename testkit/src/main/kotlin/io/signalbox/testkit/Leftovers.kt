package io.signalbox.testkit

import java.util.concurrent.ConcurrentLinkedDeque

/** What would outlive this JVM if nobody closed it; a shutdown hook does, the youngest first. */
internal object Leftovers {
    private val open = ConcurrentLinkedDeque<AutoCloseable>()

    init {
        Runtime.getRuntime().addShutdownHook(Thread({ open.forEach { runCatching(it::close) } }, "signalbox-testkit-cleanup"))
    }

    fun add(leftover: AutoCloseable) {
        open.addFirst(leftover)
    }

    fun remove(leftover: AutoCloseable) {
        open.remove(leftover)
    }
}
