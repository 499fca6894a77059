package io.signalbox.processes

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.Signalbox
import io.signalbox.behaviour.PATIENCE
import io.signalbox.behaviour.freshNamespace
import io.signalbox.testkit.ChildJvm
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async

/** A job that ends at once, in a process that is gone behind it. */
class ShortJobTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("a lock is kept for its minimum hold by a process that is gone, and whoever waits is woken then") {
        val redis = RedisServer.shared()
        val namespace = freshNamespace()
        ChildJvm.start(
            "io.signalbox.processes.ShortJobProcessKt",
            listOf(redis.uri, namespace),
            listOf("-Xmx64m", "-XX:+UseSerialGC"),
        ).use { job ->
            val token = job.awaitLine("holds").substringAfter(' ').toLong()
            val here =
                Signalbox.connect(redis.uri) {
                    this.namespace = namespace
                    // A heartbeat would come too late.
                    lease = 10.minutes
                }
            val mutex = here.mutex("job")
            // With a limit its token is made when it is granted.
            val waiting = async { mutex.lock(maxHold = 10.minutes) }
            eventually(PATIENCE) { mutex.snapshot().queueLength shouldBe 1 }
            job.send("release")
            job.waitFor() shouldBe 0
            val next = waiting.await()
            next.fencingToken - token shouldBeGreaterThanOrEqual 3_000_000L - 1_000
            mutex.owner().shouldNotBeNull().isKept shouldBe false
            next.release() shouldBe true
            here.closeAndJoin()
        }
    }
})
