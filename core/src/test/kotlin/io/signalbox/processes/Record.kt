package io.signalbox.processes

import io.signalbox.history.AuditCheck
import io.signalbox.history.HoldInterval
import java.io.File

/** What all clients of a run have said, and how they were hit. */
internal class Record(
    private val clients: List<Client>,
    private val hits: List<Hit>,
    private val seconds: Long,
) {
    val kills: Int get() = hits.count { it.kill }
    val freezes: Int get() = hits.count { !it.kill }

    /** When permits of the semaphore [name] were held, as their holders saw it. */
    fun intervals(name: String): List<HoldInterval> =
        clients.flatMap { client ->
            client.lines.filter { it.semaphore == name && it.heldAt > 0 }.groupBy { it.token }.map { (token, lines) ->
                HoldInterval(token, client.label, begin = lines.minOf { it.heldAt }, end = lines.maxOf { it.heldAt })
            }
        }

    /** Permits that a client had, and the server had granted to nobody or to somebody else. */
    fun unknownTokens(checks: Map<String, AuditCheck>): List<String> =
        clients.flatMap { client ->
            val held = client.lines.filter { it.token > 0 }.map { it.semaphore to it.token }.distinct()
            held.filter { (name, token) -> checks.getValue(name).ownerOf(token) != client.label }.map { "${client.label} held $it" }
        }

    /** How many kills, or freezes, caught at least one worker of the victim in each phase; unaware: granted, and not told. */
    fun caught(
        kill: Boolean,
        checks: Map<String, AuditCheck>,
    ): Map<Aim, Int> {
        val caught = sortedMapOf<Aim, Int>()
        for (hit in hits.filter { it.kill == kill }) {
            val aims = hit.client.phasesAt(hit.nanos).keys.map { Aim.valueOf(it.name) }
            (if (wasUnaware(hit, checks)) aims + Aim.UNAWARE else aims).forEach { caught.merge(it, 1, Int::plus) }
        }
        return caught
    }

    /** Whether something was given to it after it had fallen silent. */
    private fun wasUnaware(
        hit: Hit,
        checks: Map<String, AuditCheck>,
    ): Boolean {
        val silence = hit.client.lines.lastOrNull { it.nanos <= hit.nanos }?.let { (it.nanos - hit.nanos) / 1000 } ?: 0
        val unaware = hit.micros + silence..hit.over.get()
        return checks.values.any { check ->
            check.gifts.any { (session, moments) -> check.labels[session] == hit.client.label && moments.any { it in unaware } }
        }
    }

    /** Leaves all there is to know in [directory]. */
    fun dump(directory: File) {
        directory.mkdirs()
        clients.forEach { client -> directory.resolve("${client.label}.txt").writeText(client.lines.joinToString("\n")) }
        val blows = hits.map { "${it.client.label} ${if (it.kill) "killed" else "frozen"} at ${it.nanos} ${it.micros} to ${it.over.get()}" }
        directory.resolve("hits.txt").writeText(blows.joinToString("\n"))
    }

    fun summary(checks: Map<String, AuditCheck>): String {
        val grants = checks.values.sumOf { it.started }
        val given = checks.values.sumOf { it.given }
        val fromQueue = checks.values.sumOf { it.fromQueue }
        val lost = clients.sumOf { client -> client.lines.count { it.what == "lost" } }
        val failed = clients.sumOf { client -> client.lines.count { it.what == "failed" } }
        return "$grants grants ${checks.mapValues {
            it.value.started
        }}, $given of them by the ledger and the others handed on, $fromQueue through the queue; $kills kills ${caught(
            true,
            checks,
        )}, $freezes freezes ${caught(false, checks)}; " +
            "${clients.size} processes; $lost permits lost, $failed calls failed; $seconds s"
    }
}
