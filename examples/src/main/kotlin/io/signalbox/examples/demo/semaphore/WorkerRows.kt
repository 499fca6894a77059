package io.signalbox.examples.demo.semaphore

import com.github.ajalt.mordant.rendering.TextColors.green
import com.github.ajalt.mordant.rendering.TextColors.red
import com.github.ajalt.mordant.rendering.TextColors.yellow
import com.github.ajalt.mordant.rendering.TextStyles.dim
import io.signalbox.SemaphoreSnapshot
import kotlin.time.Duration

/** The workers as rows of a table: who they are by what the parent knows, who holds and who waits by what the server says. */
internal class WorkerRows(private val plan: Plan, private val glyphs: Glyphs) {
    fun of(scene: Scene): List<List<String>> {
        val holders = scene.snapshot?.holders.orEmpty().associateBy { it.label }
        val queue = scene.snapshot?.queue.orEmpty().associateBy { it.label }
        return scene.crew.members.map { member ->
            val holder = holders["${member.number}"]
            val waiter = queue["${member.number}"]
            val (state, lease) = when {
                member.isKilled && holder != null -> red("killed, lease runs out") to lease(holder.remainingLease) { red(it) }
                member.isKilled -> dim("killed") to ""
                holder != null -> green("holds  ${holder.age.inSeconds()}") to lease(holder.remainingLease) { green(it) }
                waiter != null -> yellow("waits  ${waiter.age.inSeconds()}, ${place(waiter)}") to ""
                !member.isAlive -> dim("done") to ""
                member.number in scene.journal.ready -> dim(if (scene.start == null) "ready" else "between two turns") to ""
                else -> dim("starting") to ""
            }
            val grants = scene.journal.turnsOf(member.number)
            listOf("${member.number} (${member.pid})", state, lease, holder?.fencingToken?.toString().orEmpty(), "$grants")
        }
    }

    private fun lease(remaining: Duration, color: (String) -> String) =
        color(glyphs.bar(remaining / plan.lease, LEASE_WIDTH)) + " " + remaining.inSeconds()

    private fun place(waiter: SemaphoreSnapshot.Waiter) = if (waiter.position == 1) "next" else "place ${waiter.position}"

    companion object {
        val TITLES = listOf("worker (pid)", "state", "lease left", "fencing token", "grants")

        val WIDTHS = listOf(14, 24, 16, 18, 6)

        private const val LEASE_WIDTH = 7
    }
}
