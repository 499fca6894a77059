package io.signalbox.examples.service

import io.ktor.server.cio.CIO
import io.ktor.server.engine.connector
import io.ktor.server.engine.embeddedServer
import kotlinx.coroutines.runBlocking

/** Arguments: URI of the Redis server, name of the instance, port (0 for any). Ends with SIGTERM. */
fun main(arguments: Array<String>) {
    val (uri, instance, port) = arguments
    val server = embeddedServer(
        CIO,
        configure = {
            connector {
                host = "127.0.0.1"
                this.port = port.toInt()
            }
            shutdownGracePeriod = 500
            shutdownTimeout = 2000
        },
    ) { service(uri, instance) }
    server.start()
    println("listening ${runBlocking { server.engine.resolvedConnectors().first().port }}")
    Thread.currentThread().join()
}
