package io.signalbox.benchmarks.contender

import io.lettuce.core.SetArgs

/** Permits as elements of a Redis list, the way most hand-written semaphores keep them. */
internal class ListPermits(
    private val arena: Arena,
) {
    val key = "bench:list:${arena.name}"

    /** Puts the permits there, once per arena. */
    fun fill() {
        val commands = arena.statistics.commands
        if (commands.set("$key:filled", "1", SetArgs.Builder.nx()) == null) return
        repeat(arena.permits) { commands.rpush(key, "permit") }
    }

    /** What was pushed, ever, and is not in the list was popped. The pops themselves are not counted while they block. */
    fun popped(): Long = arena.statistics.run { calls("rpush") - commands.llen(key) }
}
