package io.signalbox.fault

import io.signalbox.internal.redis.Scripts
import io.signalbox.testkit.FaultProxy
import io.signalbox.testkit.ProxiedConnection
import java.util.concurrent.atomic.AtomicBoolean

/** An exchange as it passes by on the wire; its words are laid out as the header of the script says. */
internal class WireExchange(
    words: List<String>,
) {
    val session: String = words[0]
    val number: Long = words[11].toLong()
    val goodbye: Boolean = words[16] == "1"

    /** All that the session ever gave back by count, and all that it ever passed. */
    val returned: Long = words[17].toLong()
    val passed: Long = words[18].toLong()

    /** How many runs of acquires, releases of listed permits, runs of places given up, commands. */
    val acquires: Int = words[22].toInt()
    val releases: Int = words[23].toInt()
    val leaves: Int = words[24].toInt()
    val commands: Int = words[25].toInt()
}

/** Calls [action] for every exchange that a client sends through the proxy, before it is passed on. */
internal fun FaultProxy.onExchange(
    scripts: Scripts = Scripts.production,
    action: (ProxiedConnection, WireExchange) -> Unit,
) {
    val names = setOf(String(scripts.exchange.sha), String(scripts.exchange.body))
    onRequest { connection, request ->
        for (command in commandsIn(request)) {
            if (command.size > 3 && command[1] in names) action(connection, WireExchange(command.drop(3 + command[2].toInt())))
        }
    }
}

/** Has the first exchange that is [wanted] executed, and resets its connection instead of delivering the answer. */
internal fun FaultProxy.loseReplyOnce(
    scripts: Scripts = Scripts.production,
    wanted: (WireExchange) -> Boolean,
): AtomicBoolean {
    val happened = AtomicBoolean()
    onExchange(scripts) { connection, exchange ->
        if (wanted(exchange) && happened.compareAndSet(false, true)) connection.loseNextReply()
    }
    return happened
}

/** The commands of a piece of a request stream, one character for each byte; what is cut off at its ends is left out. */
internal fun commandsIn(request: String): List<List<String>> {
    val commands = mutableListOf<List<String>>()
    var at = 0

    fun header(kind: Char): Int? {
        if (request.getOrNull(at) != kind) return null
        val end = request.indexOf("\r\n", at)
        if (end < 0) return null
        return request.substring(at + 1, end).toIntOrNull().also { at = end + 2 }
    }
    while (true) {
        val count = header('*') ?: return commands
        val words = mutableListOf<String>()
        repeat(count) {
            val size = header('$') ?: return commands
            if (at + size > request.length) return commands
            words += request.substring(at, at + size)
            at += size + 2
        }
        commands += words
    }
}
