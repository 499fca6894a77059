package io.signalbox.closing

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.behaviour.freshNamespace
import io.signalbox.testkit.ChildJvm
import io.signalbox.testkit.RedisServer
import java.time.Duration
import kotlin.time.Duration.Companion.seconds

/** What a process has given back when it is over, however it came to its end. */
class ProcessEndTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    val redis = RedisServer.shared()
    val ending = Ending.entries.associateWith { freshNamespace() }
    val processes = HashMap<Ending, ChildJvm>()

    // Together, because a process takes longer to begin than to end.
    beforeSpec {
        for ((how, namespace) in ending) {
            processes[how] =
                ChildJvm.start(
                    "io.signalbox.closing.EndingProcessKt",
                    listOf(redis.uri, namespace, "$how"),
                    listOf("-Xmx64m", "-XX:+UseSerialGC"),
                )
        }
    }
    afterSpec { processes.values.forEach { it.close() } }

    for ((how, namespace) in ending) {
        test("all permits are back when the process is over: ${how.name.lowercase().replace('_', ' ')}") {
            val process = processes.getValue(how)
            process.awaitLine("holds", LIMIT)
            if (how == Ending.CLOSED_BY_HOOK_AFTER_A_SIGNAL) ProcessHandle.of(process.pid).get().destroy()
            process.waitFor(LIMIT)
            val signalbox = Signalbox.connect(redis.uri) { this.namespace = namespace }
            signalbox.semaphore("held", permits = 100).availablePermits() shouldBe 100
            signalbox.semaphore("pool", permits = 1) { algorithm = SemaphoreAlgorithm.Pool() }.availablePermits() shouldBe 1
            signalbox.closeAndJoin()
        }
    }
})

private val LIMIT = Duration.ofSeconds(60)
