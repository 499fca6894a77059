package io.signalbox.chaos.fault

import io.signalbox.chaos.run.Arena
import io.signalbox.testkit.ServerClock
import java.util.Locale
import kotlin.random.Random
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** A client dies, and another one comes in its place. */
internal object CrashedClient : Fault("crashed-client") {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) {
        val victim = arena.crew.take(random) ?: return
        victim.kill()
        withContext(Dispatchers.IO) { arena.crew.recruit().also { it.awaitReady() } }.let(arena.hire)
    }
}

/** A client stands still and goes on, as after a long garbage collection or on a paused machine. */
internal object FrozenClient : Fault("frozen-client", weight = 4) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) {
        val victim = arena.crew.take(random) ?: return
        victim.freeze()
        linger(random, 100, 4000)
        victim.thaw()
        victim.isTaken = false
    }
}

/** A client dies, and the one that comes in its place has a wall clock that is wrong by up to a day. Nothing may depend on it. */
internal object SkewedClient : Fault("skewed-client", weight = 1) {
    override fun fits(arena: Arena): Boolean = ServerClock.library != null

    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) {
        val victim = arena.crew.take(random) ?: return
        victim.kill()
        val skew = random.nextInt(-86_400, 86_400)
        val environment = ServerClock.environment(ServerClock.library!!, stamp = null) + ("FAKETIME" to "%+d".format(Locale.ROOT, skew))
        withContext(Dispatchers.IO) { arena.crew.recruit(environment).also { it.awaitReady() } }.let(arena.hire)
    }
}
