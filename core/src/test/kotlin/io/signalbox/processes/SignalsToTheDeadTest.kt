package io.signalbox.processes

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.signalbox.Signalbox
import io.signalbox.behaviour.freshNamespace
import io.signalbox.event.awaitWaiting
import io.signalbox.testkit.ChildJvm
import io.signalbox.testkit.RedisServer
import java.time.Duration
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll

/** Signals on their way to a process that dies before it hears of them. */
class SignalsToTheDeadTest : FunSpec({
    test("signals granted to a process that never read them go to the next one, each once") {
        val redis = RedisServer.shared()
        val namespace = freshNamespace()
        val signalbox = Signalbox.connect(redis.uri) { this.namespace = namespace }
        val event = signalbox.event("done")
        fun awaiter() = ChildJvm.start("io.signalbox.processes.AwaiterProcessKt", listOf(redis.uri, namespace, LEASE, "$SIGNALS"))
        awaiter().use { doomed ->
            event.awaitWaiting(SIGNALS)
            event.set()
            doomed.awaitLine("got", LIMIT)
            event.awaitWaiting(SIGNALS)
            doomed.freeze()
            List(SIGNALS) { async { event.set() } }.awaitAll()
            // All of them are on their way to the frozen process, whose places in the queue come first.
            event.isSet() shouldBe false
            awaiter().use { heir ->
                doomed.kill()
                repeat(SIGNALS) { heir.awaitLine("got", LIMIT) }
                event.awaitWaiting(SIGNALS)
                heir.lines.size shouldBe 0
                event.isSet() shouldBe false
            }
        }
        signalbox.closeAndJoin()
    }
})

private const val SIGNALS = 20

/** Of the processes, in milliseconds: more than setting all signals takes, on a busy machine too. */
private const val LEASE = "10000"

private val LIMIT = Duration.ofSeconds(60)
