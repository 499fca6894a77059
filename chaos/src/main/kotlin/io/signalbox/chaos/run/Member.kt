package io.signalbox.chaos.run

import io.signalbox.testkit.ChildJvm
import java.time.Duration
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/** A client process, as the runner sees it. Lives over many acts, unless it is killed. */
internal class Member(
    options: List<String> = emptyList(),
    private val environment: Map<String, String> = emptyMap(),
) : AutoCloseable {
    /** Whether its wall clock is another one than the server's. */
    val isSkewed: Boolean get() = environment.isNotEmpty()

    private val jvm =
        ChildJvm.start(
            "io.signalbox.chaos.client.ClientMainKt",
            jvmOptions = listOf("-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1") + options,
            environment = environment,
        )
    private val process: ProcessHandle = ProcessHandle.of(jvm.pid).orElseThrow()
    private val lock = ReentrantLock()

    var isDead = false
        private set

    /** Whether some fault has its hands on it. */
    @Volatile
    var isTaken = false

    /** Whether it has ended though nobody killed it. */
    val hasFallen: Boolean get() = lock.withLock { !isDead && !jvm.isAlive }

    val output: String get() = jvm.output()

    @Volatile
    var isReady = false
        private set

    fun awaitReady() {
        await("ready", Duration.ofMinutes(2))
        isReady = true
    }

    fun await(
        line: String,
        patience: Duration,
    ): String = jvm.awaitLine(line, patience)

    fun send(order: String) = jvm.send(order)

    /** At once. */
    fun kill() =
        lock.withLock {
            process.destroyForcibly()
            isDead = true
        }

    fun freeze() = lock.withLock { if (jvm.isAlive) jvm.freeze() }

    fun thaw() = lock.withLock { if (jvm.isAlive) jvm.thaw() }

    override fun close() = jvm.close()
}
