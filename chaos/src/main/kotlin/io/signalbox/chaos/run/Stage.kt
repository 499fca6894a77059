package io.signalbox.chaos.run

import io.signalbox.testkit.FaultProxy
import io.signalbox.testkit.Fsync
import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.RedisServer
import io.signalbox.testkit.RedisSettings
import io.signalbox.testkit.ServerClock
import java.nio.file.Path

/** How the servers of an act are set up: that decides which faults can be had, and what they may cost. */
internal enum class Stage {
    /** Every answered write is on the disk: a crash loses nothing. */
    DURABLE,

    /** Writes are on the disk a second later: a power cut loses some. */
    RELAXED,

    /** Nothing is on the disk, but a replica follows. */
    REPLICATED,

    /** The server's clock can be set. */
    BENT_CLOCK,
    ;

    fun raise(
        program: Path?,
        clock: ServerClock?,
    ): RedisProcess =
        RedisServer.start {
            val binary = if (this@Stage == BENT_CLOCK) clock!!.program else program
            if (binary != null) binary(binary)
            debugCommands()
            user(Arena.USER, "on", ">${Arena.PASSWORD}", "~*", "&*", "+@all")
            when (this@Stage) {
                DURABLE, BENT_CLOCK -> append(Fsync.ALWAYS)
                RELAXED -> append(Fsync.EVERY_SECOND)
                REPLICATED -> config("repl-diskless-sync", "yes")
            }
        }

    private fun RedisSettings.append(fsync: Fsync) {
        appendOnly(fsync)
        config("auto-aof-rewrite-percentage", "0")
    }
}

/** A replica, and the network between it and its primary. */
internal class Understudy(
    var replica: RedisProcess,
) : AutoCloseable {
    private var link: FaultProxy? = null

    fun follow(primary: RedisProcess) {
        link?.close()
        val proxy = FaultProxy(primary)
        link = proxy
        replica.command("CONFIG", "SET", "masteruser", Arena.USER)
        replica.command("CONFIG", "SET", "masterauth", Arena.PASSWORD)
        replica.command("REPLICAOF", proxy.host, "${proxy.port}")
    }

    val hasCopied: Boolean get() = "master_link_status:up" in replica.command("INFO", "replication")

    fun fallBehind() = link!!.stall()

    fun lose() {
        link!!.close()
    }

    override fun close() {
        link?.close()
        replica.close()
    }
}
