package io.signalbox.testkit

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.LoggerContext
import org.slf4j.LoggerFactory
import org.testcontainers.DockerClientFactory
import org.testcontainers.containers.GenericContainer
import org.testcontainers.utility.DockerImageName

/** Redis in a container, where a Docker engine answers. */
internal object DockerRedis {
    const val IMAGE: String = "redis:7.4-alpine"

    private const val PORT = 6379

    /** A server in a container that ends with this JVM; null without a Docker engine; a failure if the container does not start. */
    fun start(): Result<RedisServer?> = runCatching {
        if (!engineAnswers()) return@runCatching null
        val container = GenericContainer(DockerImageName.parse(IMAGE)).withExposedPorts(PORT)
        container.start()
        Leftovers.add(container::stop)
        RemoteRedis("redis://${container.host}:${container.getMappedPort(PORT)}")
    }

    /** Having no Docker is no error here, so Testcontainers must not log it as one. */
    private fun engineAnswers(): Boolean {
        val unmute = muteLogging()
        try {
            return DockerClientFactory.instance().isDockerAvailable
        } finally {
            unmute()
        }
    }

    /** Turns Testcontainers' loggers off if Logback is what logs; the result turns them on again. */
    private fun muteLogging(): () -> Unit = try {
        val loggers = (LoggerFactory.getILoggerFactory() as? LoggerContext)?.let { context ->
            listOf("org.testcontainers", "com.github.dockerjava", "tc").map(context::getLogger)
        }.orEmpty()
        val levels = loggers.map { it.level }
        loggers.forEach { it.level = Level.OFF }
        ({ loggers.zip(levels) { logger, level -> logger.level = level } })
    } catch (_: NoClassDefFoundError) {
        {} // Logback is optional
    }
}
