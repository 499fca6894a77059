package io.signalbox.processes

import io.signalbox.testkit.ChildJvm
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

/** A [main] in a JVM of its own, as the test sees it: what it has said, and how it was hit. */
internal class Client(
    val label: String,
    uri: String,
    val leaseMillis: Int,
    seed: Long,
    private val onLine: (Client, ClientLine) -> Unit,
) : AutoCloseable {
    val lines = ConcurrentLinkedQueue<ClientLine>()
    private val ready = CountDownLatch(1)

    /** Set by whoever is about to hit it, so that nobody else does. */
    @Volatile
    var isTarget: Boolean = true

    private val jvm =
        ChildJvm.start(
            "io.signalbox.processes.ClientProcessKt",
            listOf(uri, label, "$leaseMillis", "$seed"),
            listOf("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        ) { line -> ClientLine.parse(line)?.let(::heard) }

    private val process: ProcessHandle = ProcessHandle.of(jvm.pid).orElseThrow()

    private fun heard(line: ClientLine) {
        lines += line
        if (line.what == "ready") {
            isTarget = false
            ready.countDown()
        }
        onLine(this, line)
    }

    fun awaitReady() = check(ready.await(120, TimeUnit.SECONDS)) { "Client $label did not start:\n${jvm.output()}" }

    /** At once: without the search for children that [ChildJvm.kill] makes first. */
    fun kill() {
        process.destroyForcibly()
    }

    fun freeze() = jvm.freeze()

    fun thaw() = jvm.thaw()

    /** Has it finish what it does, and waits for its end. */
    fun stop() = jvm.send("enough")

    fun awaitEnd() {
        val code = jvm.waitFor()
        check(code == 0) { "Client $label ended with $code:\n${jvm.output().lines().filter { ClientLine.parse(it) == null }}" }
    }

    /** How many of its workers were in each phase at [nanos]. */
    fun phasesAt(nanos: Long): Map<Phase, Int> {
        val last = HashMap<String, String>()
        for (line in lines) if (line.nanos <= nanos) last[line.worker] = line.what
        return last.values.mapNotNull(::phaseOf).groupingBy { it }.eachCount()
    }

    /** Kills it if it still runs. */
    override fun close() = jvm.close()
}
