package io.signalbox.chaos.run

import io.signalbox.chaos.client.Bell
import io.signalbox.chaos.client.Prize
import io.signalbox.history.AuditEvent
import io.signalbox.history.AuditLog
import io.signalbox.internal.ledger.Kind
import io.signalbox.testkit.FaultProxy
import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.ServerClock
import java.io.IOException
import java.time.Duration
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.sync.Mutex

/** Where an act is played: a server, the network in front of it, and the clients. What faults get their hands on. */
internal class Arena(
    val stage: Stage,
    @Volatile var primary: RedisProcess,
    /** One that follows, where there is one, through a network of its own. */
    val understudy: Understudy?,
    val crew: Crew,
    /** The server's clock, where it can be set. */
    val clock: ServerClock?,
    /** Has a client play in this act from now on. */
    val hire: (Member) -> Unit,
) : AutoCloseable {
    val proxy = FaultProxy(primary)

    /** What clients connect to. */
    val uri: String get() = "redis://$USER:$PASSWORD@${proxy.host}:${proxy.port}"

    /** Held by whoever breaks the server or its settings: one at a time. */
    val helm = Mutex()

    /** The faults so far. */
    val strikes = ConcurrentLinkedQueue<Strike>()

    /** Those that met something else than they wanted. */
    val misses = ConcurrentLinkedQueue<Strike>()

    /** The moments at which something was lost. */
    val losses = ConcurrentLinkedQueue<Loss>()

    /** Does what loses acknowledged writes; not [ofWrites], what has leases end early. */
    inline fun losing(
        ofWrites: Boolean = true,
        action: () -> Unit,
    ) {
        val begin = System.nanoTime()
        // Also if it fails half-way.
        try {
            action()
        } finally {
            losses += Loss(begin, System.nanoTime(), ofWrites)
        }
    }

    /** What was read of the audit logs before they were deleted. */
    private val read = HashMap<String, List<AuditEvent>>()

    fun command(vararg words: String): String = primary.command(*words)

    /** The server's data go, and with them the audit logs: they are taken away in the same moment. */
    fun flush() {
        val keys = AUDITED.map { (title, kind) -> io.signalbox.history.auditKey(title, kind = kind) }
        val script =
            "local found = {} for i = 1, #KEYS do found[i] = redis.call('LRANGE', KEYS[i], 0, -1) end " +
                "redis.call('FLUSHALL') return cjson.encode(found)"
        val answer = primary.command("EVAL", script, "${keys.size}", *keys.toTypedArray())
        val lists = LIST.findAll(answer.removeSurrounding("[", "]")).map { it.value }.toList()
        AUDITED.keys.forEachIndexed { index, title ->
            val lines = LINE.findAll(lists[index]).map { AuditEvent.parse(it.groupValues[1]) }.toList()
            read[title] = read[title].orEmpty() + lines
        }
    }

    /** All that the server has written down. */
    fun audit(
        title: String,
        kind: Kind,
    ): List<AuditEvent> = read[title].orEmpty() + AuditLog(primary, title, kind).next()

    /** A server that has just been thawed, on a busy machine, may have thousands of requests to answer first. */
    private fun insist(vararg words: String): String {
        val deadline = System.nanoTime() + MENDING.inWholeNanoseconds
        while (true) {
            try {
                return command(*words)
            } catch (late: IOException) {
                if (System.nanoTime() >
                    deadline
                ) {
                    throw IllegalStateException("The server cannot be mended:\n${primary.log().takeLast(2000)}", late)
                }
            }
        }
    }

    /** Takes all faults back, whatever has become of those who struck them. */
    fun mend() {
        proxy.refuseConnections(false)
        proxy.delay(Duration.ZERO)
        proxy.connections.filter { it.isOpen }.forEach {
            it.delay(Duration.ZERO)
            it.releaseRequests()
            it.resume()
        }
        crew.living.forEach(Member::thaw)
        if (!primary.isRunning) primary.restart()
        primary.thaw()
        insist("ACL", "SETUSER", USER, "on", "+@all")
        insist("CONFIG", "SET", "maxmemory", "0")
        insist("CONFIG", "SET", "timeout", "0")
        insist("CONFIG", "SET", "maxclients", "10000")
        insist("CLIENT", "UNPAUSE")
        if ("role:slave" in insist("INFO", "replication")) insist("REPLICAOF", "NO", "ONE")
        clock?.catchUp()
    }

    override fun close() {
        proxy.close()
        understudy?.close()
        primary.close()
    }

    companion object {
        const val USER = "app"
        const val PASSWORD = "app"
        private val MENDING = 60.seconds

        /** What keeps an audit log. */
        val AUDITED: Map<String, Kind> =
            Prize.entries.filter { !it.isPool }.associate { it.title to it.kind!! } + Bell.entries.associate { it.title to Kind.EVENT }

        // An empty list is {} to cjson.
        private val LIST = Regex("""\[[^]]*]|\{}""")
        private val LINE = Regex(""""([^"]*)"""")
    }
}

/** Something was lost: acknowledged writes, or else the rest of all leases; between which moments of the machine's monotonic clock. */
internal class Loss(
    val begin: Long,
    val end: Long,
    val ofWrites: Boolean,
) {
    override fun toString(): String = "$begin to $end: ${if (ofWrites) "writes" else "leases"}"
}

/** A fault that was struck: between which moments of the machine's monotonic clock it was at work. */
internal class Strike(
    val kind: String,
    val begin: Long,
    val end: Long,
) {
    override fun toString(): String = "$begin to $end: $kind"
}
