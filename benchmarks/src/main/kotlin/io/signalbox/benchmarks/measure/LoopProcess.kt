package io.signalbox.benchmarks.measure

import io.signalbox.benchmarks.contender.Arena
import io.signalbox.benchmarks.contender.Contender
import io.signalbox.benchmarks.contender.Form
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.testkit.ChildJvm
import java.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json

/** A process with one contender, which runs closed loops in windows of time that it is told. */
internal class LoopProcess private constructor(
    private val child: ChildJvm,
) : AutoCloseable {
    @Serializable
    class Task(
        val form: Form,
        val window: Window,
        val holdMillis: Long?,
    )

    fun awaitReady() {
        child.awaitLine(READY)
    }

    /** The loops begin at once and go on until the window ends; [await] has the result. */
    fun begin(task: Task) = child.send(Json.encodeToString(task))

    fun await(): WindowReport = Json.decodeFromString(child.awaitLine("{", PATIENCE))

    /** What the server has granted, asked by the child's client. */
    fun granted(): Long {
        child.send(GRANTED)
        return child.awaitLine(GRANTED, PATIENCE).removePrefix(GRANTED).trim().toLong()
    }

    override fun close() = child.close()

    companion object {
        const val READY = "ready"
        const val GRANTED = "granted"
        private const val MAIN = "io.signalbox.benchmarks.measure.LoopProcessKt"
        private val PATIENCE = Duration.ofMinutes(2)

        /** [statisticsUri]: the server itself, where [uri] leads there on a slow way. */
        fun start(
            peer: Peer,
            uri: String,
            statisticsUri: String,
            name: String,
            permits: Int,
            coroutines: Int,
        ) = LoopProcess(ChildJvm.start(MAIN, listOf(peer.name, uri, statisticsUri, name, "$permits", "$coroutines"), listOf("-Xmx512m")))
    }
}

/** The child: `peer uri statistics-uri name permits coroutines`. It ends with its standard input. */
fun main(arguments: Array<String>) {
    val (name, uri, statisticsUri, arena) = arguments
    val (permits, coroutines) = arguments.drop(4).map { it.toInt() }
    val peer = Peer.valueOf(name)
    Statistics(statisticsUri).use { statistics ->
        runBlocking {
            peer.open(Arena(uri, arena, permits, coroutines, statistics)).use { contender ->
                println(LoopProcess.READY)
                for (line in generateSequence(::readlnOrNull)) {
                    println(
                        when (line) {
                            LoopProcess.GRANTED -> "${LoopProcess.GRANTED} ${contender.granted()}"
                            else -> Json.encodeToString(within(Json.decodeFromString(line), peer, contender, permits, coroutines))
                        },
                    )
                }
            }
        }
    }
}

private suspend fun within(
    task: LoopProcess.Task,
    peer: Peer,
    contender: Contender,
    permits: Int,
    coroutines: Int,
): WindowReport {
    val hold: (suspend () -> Unit)? = task.holdMillis?.milliseconds?.let { { delay(it) } }
    val notes = List(coroutines) { WindowNotes(task.window) }
    ClosedLoop(peer.title(task.form), contender, coroutines, permits, task.form).run(notes, hold) { _, now -> now < task.window.end }
    contender.settle()
    return WindowNotes.report(notes)
}
