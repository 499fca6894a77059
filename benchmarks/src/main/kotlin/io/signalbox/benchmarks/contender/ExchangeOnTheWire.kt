package io.signalbox.benchmarks.contender

import io.signalbox.Signalbox
import io.signalbox.testkit.FaultProxy
import java.net.URI
import java.util.concurrent.CopyOnWriteArrayList

/** How an exchange goes over the wire, and so how the server counts it. What its script is called, and does, is not known here. */
internal const val EXCHANGE_COMMAND = "EVALSHA"

/** Keys and arguments of an exchange that the library has sent, so that what imitates it follows it without knowing it. */
internal class ExchangeOnTheWire private constructor(
    val keys: List<ByteArray>,
    val arguments: List<ByteArray>,
) {
    companion object {
        /** What goes over the wire for one acquire, and for one release, of a client that has nothing else to say. */
        suspend fun ofLoneAcquireAndRelease(uri: String): Pair<ExchangeOnTheWire, ExchangeOnTheWire> {
            val server = URI(uri)
            val scripts = CopyOnWriteArrayList<List<String>>()
            FaultProxy(server.host, server.port).use { proxy ->
                proxy.onRequest { _, bytes -> scripts += commandsIn(bytes).filter { it.first() == EXCHANGE_COMMAND } }
                val client = Signalbox.connect("redis://${proxy.host}:${proxy.port}") { namespace = "bench" }
                try {
                    val semaphore = client.semaphore("wire", permits = 8)
                    // The first exchange of a session may have more to say, and meets a server that does not know the script.
                    semaphore.acquire().release()
                    scripts.clear()
                    val permit = semaphore.acquire()
                    val acquire = scripts.first()
                    scripts.clear()
                    permit.release()
                    return of(acquire) to of(scripts.first())
                } finally {
                    client.closeAndJoin()
                }
            }
        }

        private fun of(command: List<String>): ExchangeOnTheWire {
            val (keys, arguments) = command.drop(3).map { it.toByteArray(Charsets.ISO_8859_1) }.let { rest ->
                val count = command[2].toInt()
                rest.take(count) to rest.drop(count)
            }
            return ExchangeOnTheWire(keys, arguments)
        }

        /** Commands as arrays of bulk strings; a character is a byte. */
        private fun commandsIn(text: String): List<List<String>> {
            val commands = mutableListOf<List<String>>()
            var at = 0

            fun number(): Int {
                val end = text.indexOf("\r\n", at)
                return text.substring(at + 1, end).toInt().also { at = end + 2 }
            }
            while (at < text.length) {
                commands += List(number()) {
                    val length = number()
                    text.substring(at, at + length).also { at += length + 2 }
                }
            }
            return commands
        }
    }
}
