package io.signalbox.testkit

/** Finds the one server that the tests of this JVM share. */
internal object SharedRedis {
    const val URI_VARIABLE: String = "SIGNALBOX_REDIS_URI"

    val server: RedisServer by lazy { find() }

    private fun find(): RedisServer {
        val given = System.getenv(URI_VARIABLE)
        if (!given.isNullOrBlank()) return RemoteRedis(given.trim()).also { announce("the server of $URI_VARIABLE", it) }

        RedisBinary.given?.let { program -> return RedisServer.start().also { announce(program.origin, it) } }
        val docker = if (hasTestcontainers()) DockerRedis.start() else Result.success(null)
        docker.getOrNull()?.let { container -> return container.also { announce("a ${DockerRedis.IMAGE} container", it) } }
        val whyNotDocker = docker.exceptionOrNull()?.message?.let { ", as no container would start: $it" }.orEmpty()
        return RedisServer.start().also { announce(RedisBinary.default.origin + whyNotDocker, it) }
    }

    /** It is optional; without it the class that uses it must not be touched. */
    private fun hasTestcontainers(): Boolean = try {
        Class.forName("org.testcontainers.DockerClientFactory", false, javaClass.classLoader)
        true
    } catch (_: ClassNotFoundException) {
        false
    }

    private fun announce(choice: String, server: RedisServer) {
        val line = "signalbox-testkit: sharing $choice at ${server.uri.withoutCredentials()}"
        println(line.lineSequence().joinToString(" "))
    }
}

/** A server that is somebody else's. */
internal class RemoteRedis(override val uri: String) : RedisServer {
    private val address = RedisAddress.of(uri)

    override val host: String get() = address.host

    override val port: Int get() = address.port

    override fun command(vararg words: String): String = RespConnection(address).use { it.call(words.toList()) }
}
