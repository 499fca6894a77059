package io.signalbox.chaos.fault

import io.signalbox.chaos.run.Arena
import io.signalbox.chaos.run.Stage
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay

/** A kind of fault. Stateless: what it breaks is in the [Arena], and it mends that itself. */
internal abstract class Fault(
    /** As it is named on the command line. */
    val kind: String,
    private val stages: Set<Stage> = Stage.entries.toSet(),
    /** How often it is drawn, beside others. */
    val weight: Int = 2,
) {
    open fun fits(arena: Arena): Boolean = arena.stage in stages

    /** Strikes, and returns when all is mended. Depends on nothing but [random] and what it meets. May block. */
    abstract suspend fun strike(
        arena: Arena,
        random: Random,
    )

    override fun toString(): String = kind

    companion object {
        /** All of them. */
        val all: List<Fault> =
            listOf(
                Cut, KilledConnection, KilledBlocker, LostReply, DroppedReplies, LateRequests, HalfOpen, Latency, Refused,
                CrashedClient, FrozenClient, SkewedClient,
                CrashedServer, RestartedServer, ReloadedServer, FrozenServer, SlowServer, BusyServer, PausedClients, PausedWrites,
                FlushedScripts, RightsTaken, HalfRights, UserOff, FullMemory, MaxClients, IdleTimeout, ReadOnly,
                ClockForward, ClockBack,
                PowerCut, FlushAll, EvictedState, Promotion,
            )
    }
}

/** Between [least] and [most] milliseconds, which are up to three leases of most clients. */
internal suspend fun linger(
    random: Random,
    least: Long,
    most: Long,
) = delay(random.nextLong(least, most).milliseconds)
