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

/** The distance from the port of a cluster's node to that of its bus. */
internal const val BUS: Int = 10_000

/** A socket listening on a loopback port that nobody else has. */
internal fun listenOnLoopback(): ServerSocket = listenAmong(serverPorts)

private fun listenAmong(ports: IntRange): ServerSocket {
    repeat(ATTEMPTS) {
        val socket = ServerSocket()
        try {
            socket.bind(InetSocketAddress(InetAddress.getByName(LOOPBACK), Random.nextInt(ports.first, ports.last)))
            return socket
        } catch (_: BindException) {
            socket.close()
        }
    }
    throw IOException("No free port on $LOOPBACK among $ports after $ATTEMPTS attempts")
}

/** A loopback port that was free a moment ago. */
internal fun freePort(): Int = listenOnLoopback().use { it.localPort }

/** The same, where the port of the bus that belongs to it was free as well, and is none that the system gives to clients. */
internal fun freePortWithBus(): Int {
    repeat(ATTEMPTS) {
        val port = listenAmong(serverPorts.first..serverPorts.last - BUS).use { it.localPort }
        try {
            ServerSocket().use { it.bind(InetSocketAddress(InetAddress.getByName(LOOPBACK), port + BUS)) }
            return port
        } catch (_: BindException) {
            // Another one, then.
        }
    }
    throw IOException("No two free ports on $LOOPBACK after $ATTEMPTS attempts")
}
