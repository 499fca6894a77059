package io.signalbox.chaos.fault

import io.signalbox.chaos.run.Arena
import io.signalbox.testkit.ProxiedConnection
import java.time.Duration
import kotlin.random.Random

private fun Arena.open(): List<ProxiedConnection> = proxy.connections.filter { it.isOpen }

/** Some of the open connections: one, or about a third, or all. */
private fun Arena.some(random: Random): List<ProxiedConnection> {
    val open = open()
    return when (random.nextInt(3)) {
        0 -> listOfNotNull(open.randomOrNull(random))
        1 -> open.filter { random.nextInt(3) == 0 }
        else -> open
    }
}

/** Connections are reset on both sides; what was on its way is lost. */
internal object Cut : Fault("cut", weight = 4) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.some(random).forEach { it.cut() }
}

/** The server closes connections. */
internal object KilledConnection : Fault("killed-connection", weight = 4) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = killConnections(arena, random) { true }
}

/** The server closes connections that wait in a blocking command, and only those. */
internal object KilledBlocker : Fault("killed-blocker", weight = 4) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = killConnections(arena, random) { "cmd=blpop" in it }
}

private fun killConnections(
    arena: Arena,
    random: Random,
    wanted: (String) -> Boolean,
) {
    val ids = arena.command("CLIENT", "LIST").lines().filter { "user=${Arena.USER} " in it && wanted(it) }.map {
        it.substringAfter("id=").substringBefore(' ')
    }
    val victims = if (random.nextBoolean()) listOfNotNull(ids.randomOrNull(random)) else ids.filter { random.nextInt(3) > 0 }
    victims.forEach { arena.command("CLIENT", "KILL", "ID", it) }
}

/** Requests are executed, and their clients' connections end before they hear of it. */
internal object LostReply : Fault("lost-reply", weight = 6) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.some(random).forEach { it.loseNextReply() }
}

/** Nothing that the server says arrives for a while; then the connections end. */
internal object DroppedReplies : Fault("dropped-replies") {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) {
        val connections = arena.some(random)
        connections.forEach { it.dropReplies() }
        linger(random, 20, 2000)
        connections.forEach { it.cut() }
    }
}

/** Requests are held, their clients connect anew; then the requests arrive. */
internal object LateRequests : Fault("late-requests", weight = 4) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) {
        val connections = arena.some(random)
        connections.forEach { it.holdRequests() }
        linger(random, 1, 200)
        connections.forEach { it.cutClient() }
        linger(random, 1, 3000)
        connections.forEach { it.releaseRequests() }
    }
}

/** Connections that are open, and carry nothing. */
internal object HalfOpen : Fault("half-open") {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) {
        val connections = arena.some(random)
        connections.forEach { it.stall() }
        linger(random, 100, 3000)
        // What is delivered is old by then, or lost.
        if (random.nextBoolean()) connections.forEach { it.resume() } else connections.forEach { it.cut() }
    }
}

/** All that is sent takes longer. */
internal object Latency : Fault("latency") {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) {
        arena.proxy.delay(Duration.ofMillis(random.nextLong(1, 150)))
        linger(random, 100, 1500)
        arena.proxy.delay(Duration.ZERO)
    }
}

/** Nobody can connect. */
internal object Refused : Fault("refused") {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) {
        arena.proxy.refuseConnections()
        arena.some(random).forEach { it.cut() }
        linger(random, 50, 2000)
        arena.proxy.refuseConnections(false)
    }
}
