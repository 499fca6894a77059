package io.signalbox.history

import io.signalbox.internal.ledger.Kind
import io.signalbox.testkit.RedisServer

/** One line that a script wrote down. */
internal class AuditEvent(
    /** Server time at the begin of the script. */
    val micros: Long,
    /** The session that called the script. */
    val by: String,
    val what: String,
    val words: List<String>,
) {
    override fun toString(): String = "$micros $by $what ${words.joinToString(" ")}"

    companion object {
        fun parse(line: String): AuditEvent {
            val words = line.split(' ')
            return AuditEvent(words[0].toLong(), words[1], words[2], words.drop(3))
        }
    }
}

/** What [auditedScripts] wrote down about the semaphore [name], in the order in which the server did it. */
internal class AuditLog(
    private val redis: RedisServer,
    name: String,
    kind: Kind = Kind.SEMAPHORE,
) {
    private val key = auditKey(name, kind = kind)
    private var read = 0

    /** What was written since the last call. */
    fun next(): List<AuditEvent> {
        val events = mutableListOf<AuditEvent>()
        while (true) {
            val lines = redis.command("LRANGE", key, "$read", "${read + CHUNK - 1}").lines().filter(String::isNotEmpty)
            lines.mapTo(events, AuditEvent::parse)
            read += lines.size
            if (lines.size < CHUNK) return events
        }
    }

    private companion object {
        const val CHUNK = 10_000
    }
}

/** All events so far. */
internal fun RedisServer.audit(name: String): List<AuditEvent> = AuditLog(this, name).next()

internal fun List<AuditEvent>.only(what: String): List<AuditEvent> = filter { it.what == what }

/** How many plain waiters were admitted. */
internal fun List<AuditEvent>.admissions(): Int =
    only("admitted").sumOf { it.words[3].toInt() } + only("fast").sumOf { it.words[1].toInt() }
