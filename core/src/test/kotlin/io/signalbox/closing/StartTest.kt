package io.signalbox.closing

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.signalbox.behaviour.freshNamespace
import io.signalbox.testkit.ChildJvm
import io.signalbox.testkit.RedisServer
import java.time.Duration
import kotlin.time.Duration.Companion.seconds

/** The first call of a process, with a limit below what loading the driver takes without a compiler. */
class StartTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("the time limit of a first call does not count the start of the process") {
        val arguments = listOf(RedisServer.shared().uri, freshNamespace(), "4000")
        ChildJvm.start("io.signalbox.closing.StartProcessKt", arguments, listOf("-Xmx64m", "-XX:TieredStopAtLevel=1", "-Xint")).use {
            it.awaitLine("client 2", Duration.ofSeconds(60))
            it.waitFor(Duration.ofSeconds(60)) shouldBe 0
        }
    }
})
