package io.signalbox.chaos.fault

import io.signalbox.chaos.client.Prize
import io.signalbox.chaos.run.Arena
import io.signalbox.chaos.run.Stage
import io.signalbox.history.auditKey
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption
import kotlin.random.Random
import kotlinx.coroutines.sync.withLock

/** Faults that lose acknowledged writes. */
private val FORGETFUL = setOf(Stage.REPLICATED, Stage.RELAXED)

/** The machine goes out with up to a second of writes that are not on the disk yet. */
internal object PowerCut : Fault("power-cut", setOf(Stage.RELAXED), weight = 3) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.helm.withLock {
        val file = Files.walk(arena.primary.dataDirectory).use { files -> files.filter { it.isLog }.toList().single() }
        val synced = Files.size(file)
        linger(random, 1, 1000)
        arena.losing { arena.primary.kill() }
        val size = Files.size(file)
        // Anywhere behind what was there before: in the middle of a command, too.
        Files.newByteChannel(file, StandardOpenOption.WRITE).use { it.truncate(random.nextLong(synced, size + 1)) }
        linger(random, 1, 500)
        arena.primary.restart()
    }

    private val Path.isLog get() = "$fileName".endsWith(".aof") && "base" !in "$fileName"
}

/** All data are deleted. */
internal object FlushAll : Fault("flush-all", FORGETFUL, weight = 1) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.helm.withLock { arena.losing { arena.flush() } }
}

/** The state of one semaphore, mutex or event is evicted. */
internal object EvictedState : Fault("evicted-state", FORGETFUL) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.helm.withLock {
        val prize = Prize.entries.filter { !it.isPool }.random(random)
        arena.losing { arena.command("DEL", auditKey(prize.title, kind = prize.kind!!).removeSuffix(":audit")) }
    }
}

/** The primary dies, and its replica, which has fallen behind, takes its place. */
internal object Promotion : Fault("promotion", setOf(Stage.REPLICATED), weight = 3) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.helm.withLock {
        val understudy = arena.understudy!!
        if (!understudy.hasCopied) return@withLock
        understudy.fallBehind()
        linger(random, 1, 1000)
        val fallen = arena.primary
        arena.losing { fallen.kill() }
        understudy.lose()
        linger(random, 1, 1000)
        understudy.replica.promote()
        arena.primary = understudy.replica
        arena.proxy.redirect(arena.primary.host, arena.primary.port)
        arena.proxy.cut()
        fallen.restart()
        understudy.replica = fallen
        understudy.follow(arena.primary)
    }
}
