package io.signalbox.testkit

import java.io.IOException
import java.net.BindException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.ServerSocket
import kotlin.random.Random

internal const val LOOPBACK: String = "127.0.0.1"

/**
 * Ports below the range from which the system takes the local ports of outgoing connections.
 *
 * From that range a client that keeps calling a dead server's port may be given the very port it calls, connect
 * to itself, and so keep the server from coming back.
 */
private val serverPorts = 15_000..32_000

private const val ATTEMPTS = 200

/** A socket listening on a loopback port that nobody else has. */
internal fun listenOnLoopback(): ServerSocket {
    repeat(ATTEMPTS) {
        val socket = ServerSocket()
        try {
            socket.bind(InetSocketAddress(InetAddress.getByName(LOOPBACK), Random.nextInt(serverPorts.first, serverPorts.last)))
            return socket
        } catch (_: BindException) {
            socket.close()
        }
    }
    throw IOException("No free port on $LOOPBACK among $serverPorts after $ATTEMPTS attempts")
}

/** A loopback port that was free a moment ago. */
internal fun freePort(): Int = listenOnLoopback().use { it.localPort }
