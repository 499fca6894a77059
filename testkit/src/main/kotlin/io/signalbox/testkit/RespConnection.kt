package io.signalbox.testkit

import java.io.BufferedInputStream
import java.io.ByteArrayOutputStream
import java.io.EOFException
import java.io.IOException
import java.net.InetSocketAddress
import java.net.Socket
import java.time.Duration
import javax.net.ssl.SSLSocket
import kotlin.properties.Delegates

/**
 * A connection that speaks just enough of the Redis protocol (RESP2) for a test's administrative commands.
 *
 * Blocking and for one thread. The timeout bounds connecting and each wait for bytes of a reply.
 */
internal class RespConnection(address: RedisAddress, timeout: Duration = Duration.ofSeconds(10)) : AutoCloseable {
    private val socket: Socket = connect(address, timeout)
    private val input = BufferedInputStream(socket.getInputStream())

    init {
        if (address.password != null) {
            runCatching { call(listOfNotNull("AUTH", address.user, address.password)) }.onFailure {
                close()
                throw it
            }
        }
    }

    /** How long a reply may keep us waiting. */
    var patience: Duration by Delegates.observable(timeout) { _, _, new -> socket.soTimeout = new.toMillis().toInt() }

    /**
     * Sends a command and returns its reply as text: a nil as the empty string, an array as one line per element.
     *
     * @throws RedisErrorReply if Redis answers with an error
     */
    fun call(command: List<String>): String {
        send(command)
        return receive()
    }

    fun send(command: List<String>) {
        require(command.isNotEmpty()) { "An empty command" }
        val bytes = ByteArrayOutputStream()
        bytes.writeBytes("*${command.size}\r\n".toByteArray())
        for (word in command) {
            val encoded = word.toByteArray()
            bytes.writeBytes("$${encoded.size}\r\n".toByteArray())
            bytes.writeBytes(encoded)
            bytes.writeBytes("\r\n".toByteArray())
        }
        socket.getOutputStream().apply {
            write(bytes.toByteArray())
            flush()
        }
    }

    fun receive(): String {
        val header = readLine()
        val rest = header.drop(1)
        return when (header.first()) {
            '+', ':' -> rest
            '-' -> throw RedisErrorReply(rest)
            '$' -> readBulk(rest.toInt())
            '*' -> List(rest.toInt().coerceAtLeast(0)) { receive() }.joinToString("\n")
            else -> throw IOException("Not a reply of Redis: $header")
        }
    }

    private fun readBulk(size: Int): String {
        if (size < 0) return ""
        val bytes = input.readNBytes(size + 2)
        if (bytes.size < size + 2) throw EOFException("Redis closed the connection within a reply")
        return String(bytes, 0, size)
    }

    private fun readLine(): String {
        val line = ByteArrayOutputStream()
        while (true) {
            val byte = input.read()
            when {
                byte < 0 -> throw EOFException("Redis closed the connection")
                byte == '\n'.code && line.size() > 0 -> return line.toString(Charsets.UTF_8).removeSuffix("\r")
                else -> line.write(byte)
            }
        }
    }

    override fun close() {
        socket.close()
    }
}

private fun connect(address: RedisAddress, timeout: Duration): Socket {
    val millis = timeout.toMillis().toInt()
    val plain = Socket()
    try {
        plain.soTimeout = millis
        plain.tcpNoDelay = true
        plain.connect(InetSocketAddress(address.host, address.port), millis)
        val tls = address.tls ?: return plain
        return (tls.createSocket(plain, address.host, address.port, true) as SSLSocket).apply { startHandshake() }
    } catch (e: IOException) {
        plain.close()
        throw e
    }
}
