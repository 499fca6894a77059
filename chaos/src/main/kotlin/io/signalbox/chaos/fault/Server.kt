package io.signalbox.chaos.fault

import io.signalbox.chaos.run.Arena
import io.signalbox.chaos.run.Stage
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.sync.withLock

private val ON_DISK = setOf(Stage.DURABLE, Stage.BENT_CLOCK)

/** The server is killed and started again, with all that it has answered. */
internal object CrashedServer : Outage("crashed-server", 1L..1500L, ON_DISK) {
    override fun Arena.begin(random: Random) = primary.kill()

    override suspend fun Arena.end(random: Random) = primary.restart()
}

/** The server is shut down in peace and started again. */
internal object RestartedServer : Outage("restarted-server", 1L..500L, ON_DISK + Stage.RELAXED, weight = 1) {
    override fun Arena.begin(random: Random) = primary.stop()

    override suspend fun Arena.end(random: Random) = primary.restart()
}

/** The server reads all its data anew from a snapshot. */
internal object ReloadedServer : Fault("reloaded-server", weight = 1) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.helm.withLock<Unit> { arena.command("DEBUG", "RELOAD") }
}

/** The server's process stands still. */
internal object FrozenServer : Outage("frozen-server", 50L..2500L) {
    override fun Arena.begin(random: Random) = primary.freeze()

    override suspend fun Arena.end(random: Random) = primary.thaw()
}

/** A command of somebody else keeps the server. */
internal object SlowServer : Fault("slow-server") {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.helm.withLock<Unit> { arena.command("DEBUG", "SLEEP", "${random.nextInt(50, 2000) / 1000.0}") }
}

/** A script of somebody else keeps the server for so long that it answers BUSY. */
internal object BusyServer : Fault("busy-server", weight = 1) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.helm.withLock<Unit> {
        arena.command("CONFIG", "SET", "lua-time-limit", "20")
        val until = random.nextInt(100, 1500)
        val script =
            "local b = redis.call('TIME') repeat local t = redis.call('TIME') " +
                "until (t[1] - b[1]) * 1000 + (t[2] - b[2]) / 1000 > $until"
        arena.command("EVAL", script, "0")
        arena.command("CONFIG", "SET", "lua-time-limit", "5000")
    }
}

/** The server keeps what it is sent, by its own clock. */
internal abstract class Paused(
    kind: String,
    private val what: String,
) : Fault(kind) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.helm.withLock {
        val millis = random.nextLong(50, 2500)
        arena.command("CLIENT", "PAUSE", "$millis", what)
        delay(millis.milliseconds)
    }
}

/** All that clients send. */
internal object PausedClients : Paused("paused-clients", "ALL")

/** What would write. */
internal object PausedWrites : Paused("paused-writes", "WRITE")

/** The server forgets all scripts. */
internal object FlushedScripts : Fault("flushed-scripts", weight = 4) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) {
        arena.command("SCRIPT", "FLUSH")
    }
}

/** The server becomes the replica of nobody that answers: it refuses writes, and ends blocking commands. */
internal object ReadOnly : Outage("read-only", 50L..1500L, ON_DISK + Stage.RELAXED, weight = 1) {
    override fun Arena.begin(random: Random) {
        command("REPLICAOF", "127.0.0.1", "1")
    }

    override suspend fun Arena.end(random: Random) {
        command("REPLICAOF", "NO", "ONE")
    }
}
