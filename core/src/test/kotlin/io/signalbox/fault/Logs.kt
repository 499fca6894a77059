package io.signalbox.fault

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.core.read.ListAppender
import org.slf4j.LoggerFactory

/** The warnings and errors that the library logs during [scene]. */
internal suspend fun warningsDuring(scene: suspend () -> Unit): List<String> {
    val appender = ListAppender<ILoggingEvent>().apply { start() }
    val ours = LoggerFactory.getLogger("io.signalbox") as Logger
    ours.addAppender(appender)
    try {
        scene()
    } finally {
        ours.detachAppender(appender)
    }
    return appender.list.toList().filter { it.level.isGreaterOrEqual(Level.WARN) }.map { it.formattedMessage }
}
