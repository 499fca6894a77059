package io.signalbox.fault

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.InitStrategy
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.SignalboxException
import io.signalbox.behaviour.freshNamespace
import java.net.InetAddress
import java.net.ServerSocket
import java.net.SocketException
import kotlin.concurrent.thread
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Something that takes requests as Redis does, and answers all that matters with [reply]. */
private class Imitation(
    private val reply: String,
) : AutoCloseable {
    private val listener = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    val uri = "redis://127.0.0.1:${listener.localPort}"

    init {
        thread(isDaemon = true) {
            try {
                while (true) listener.accept().let { socket -> thread(isDaemon = true) { serve(socket) } }
            } catch (_: SocketException) {
                // Closed.
            }
        }
    }

    private fun serve(socket: java.net.Socket) {
        val bytes = ByteArray(1 shl 16)
        try {
            while (true) {
                val count = socket.getInputStream().read(bytes)
                if (count < 0) return
                for (command in commandsIn(String(bytes, 0, count, Charsets.ISO_8859_1))) {
                    val answer =
                        when (command[0]) {
                            "HELLO" -> "-ERR unknown command 'HELLO'\r\n"
                            "PING" -> "+PONG\r\n"
                            "CLIENT" -> "+OK\r\n"
                            else -> reply
                        }
                    socket.getOutputStream().write(answer.toByteArray())
                }
            }
        } catch (_: SocketException) {
            // As above.
        }
    }

    override fun close() = listener.close()
}

/** What answers unlike Redis, as an imitation of it in a test may, is told to do so. */
class ImitationTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    val calls =
        buildMap<String, suspend (Signalbox) -> Any?> {
            put("semaphore") { it.semaphore("api", 1).acquire() }
            put("attach") { it.attach("api", timeout = 100.milliseconds).tryAcquire() }
            put("mutex") { it.mutex("api").lock() }
            put("event") { it.event("api").set() }
            put("statistics") { it.statistics() }
            put("statistics of some") { it.statistics(listOf("api")) }
            for (strategy in InitStrategy.entries) {
                put("pool $strategy") { it.semaphore("pool", 1) { algorithm = SemaphoreAlgorithm.Pool(strategy) }.acquire() }
            }
        }

    for ((kind, reply) in mapOf(
        "a status" to "+OK\r\n",
        "a text" to "$5\r\nhello\r\n",
        "a number" to ":1\r\n",
        "nothing" to "*-1\r\n",
        "an empty list" to "*0\r\n",
        "a list of something else" to "*3\r\n$6\r\njoined\r\n$1\r\nx\r\n$1\r\ny\r\n",
        "a list of lists" to "*2\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n*1\r\n$1\r\nc\r\n",
    )) {
        test("$kind where a script, or a command, answers something else") {
            Imitation(reply).use { server ->
                for ((name, call) in calls) {
                    val client =
                        Signalbox.connect(server.uri) {
                            namespace = freshNamespace()
                            // Nothing of it is a matter of time.
                            storeTimeout = 20.seconds
                        }
                    val outcome = runCatching { call(client) }
                    withClue("$name: $outcome") {
                        val problem = outcome.exceptionOrNull()
                        (problem is SignalboxException) shouldBe true
                        problem?.message shouldContain "unlike Redis"
                    }
                    client.close()
                }
            }
        }
    }
})
