package io.signalbox.examples.demo.semaphore

import io.signalbox.examples.demo.DemoFailure
import io.signalbox.testkit.ChildJvm
import java.io.IOException
import java.util.concurrent.ConcurrentLinkedQueue
import kotlinx.serialization.json.Json

/** The worker processes: hires, starts, kills and stops them, and collects what they report. */
internal class Crew(private val brief: (number: Int) -> Briefing) : AutoCloseable {
    /** One worker process. The numbers of the dead are not used again. */
    inner class Member(val number: Int) {
        private val child = ChildJvm.start(
            WORKER,
            jvmOptions = listOf("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            onLine = { line -> reportIn(line)?.let { inbox += News(number, it) } },
        )

        val pid: Long get() = child.pid

        var isKilled: Boolean = false
            private set

        private var isStopping = false

        val isAlive: Boolean get() = child.isAlive

        init {
            order(Json.encodeToString(brief(number)))
        }

        fun start() = order(Order.START)

        fun stop() {
            isStopping = true
            order(Order.STOP)
        }

        /** SIGKILL. On return the process is dead and all it had reported is in the inbox, the kill as well. */
        fun kill() {
            isKilled = true
            val at = System.nanoTime()
            child.kill()
            child.waitFor()
            inbox += News(number, Killed(at))
        }

        /** Fails if the process has come to an end that nobody had in mind. */
        fun requireHealth() {
            if (isKilled || child.isAlive) return
            if (!isStopping || child.waitFor() != 0) throw broken()
        }

        fun close() = child.close()

        private fun order(line: String) = try {
            child.send(line)
        } catch (_: IOException) {
            throw broken()
        }

        private fun broken(): DemoFailure {
            val lastWords = child.output().lines().filter { it.isNotBlank() && reportIn(it) == null }
            return DemoFailure((listOf("worker $number (pid $pid) broke down") + lastWords.take(MAX_LAST_WORDS)).joinToString("\n  "))
        }
    }

    private val hired = mutableListOf<Member>()
    private val inbox = ConcurrentLinkedQueue<News>()

    /** All members so far, the dead included. */
    val members: List<Member> get() = hired

    val alive: List<Member> get() = members.filterNot { it.isKilled }

    fun hire(): Member = Member(hired.size + 1).also { hired += it }

    /** Takes what has been reported since the last call, in the order of arrival. */
    fun news(): Sequence<News> = generateSequence(inbox::poll)

    /** Leaves no process behind. */
    override fun close() = members.forEach(Member::close)

    private companion object {
        const val WORKER = "io.signalbox.examples.demo.semaphore.WorkerKt"
        const val MAX_LAST_WORDS = 5
    }
}
