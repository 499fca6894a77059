package io.signalbox.logging

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.core.AppenderBase
import java.util.concurrent.CopyOnWriteArrayList
import org.slf4j.LoggerFactory

/** All that this library and the driver log at [level] or above during [scene]. */
suspend fun logged(
    level: Level,
    scene: suspend () -> Unit,
): List<String> {
    val lines = CopyOnWriteArrayList<String>()
    val appender =
        object : AppenderBase<ILoggingEvent>() {
            override fun append(event: ILoggingEvent) {
                lines += "${event.level} ${event.loggerName.substringAfterLast('.')}: ${event.formattedMessage}"
            }
        }
    appender.start()
    val loggers = listOf("io.signalbox", "io.lettuce", "io.netty").map { LoggerFactory.getLogger(it) as Logger }
    val before = loggers.map { it.level }
    loggers.forEach {
        it.addAppender(appender)
        it.level = level
    }
    try {
        scene()
    } finally {
        loggers.zip(before) { logger, former ->
            logger.level = former
            logger.detachAppender(appender)
        }
    }
    return lines.toList()
}
