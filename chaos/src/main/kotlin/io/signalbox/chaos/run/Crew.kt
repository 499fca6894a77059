package io.signalbox.chaos.run

import java.util.concurrent.CopyOnWriteArrayList
import kotlin.random.Random

/** The client processes of a run. Those that are killed are replaced before the next act, or at once. */
internal class Crew(
    /** What their JVMs are started with. */
    private val options: List<String> = emptyList(),
    private val size: Int = 4,
) : AutoCloseable {
    private val members = CopyOnWriteArrayList<Member>()

    val living: List<Member> get() = members.filter { !it.isDead }

    /** Fills up what is missing, and waits until all are there. */
    fun muster() {
        members.filter { it.isDead }.forEach {
            it.close()
            members -= it
        }
        while (members.size < size) members += Member(options)
        living.forEach {
            if (!it.isReady) it.awaitReady()
        }
    }

    /** One that no other fault has its hands on. Whoever takes it gives it back by [Member.isTaken]. */
    @Synchronized
    fun take(random: Random): Member? = living.filter { !it.isTaken && it.isReady }.randomOrNull(random)?.also { it.isTaken = true }

    /** Another one, in the middle of an act. */
    fun recruit(environment: Map<String, String> = emptyMap()): Member = Member(options, environment).also { members += it }

    override fun close() = members.forEach(Member::close)
}
