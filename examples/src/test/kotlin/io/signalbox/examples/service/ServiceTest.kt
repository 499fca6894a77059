package io.signalbox.examples.service

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.testkit.ChildJvm
import java.lang.management.ManagementFactory
import java.time.Duration

class ServiceTest : FunSpec({
    test("the service runs as two instances, and keeps its promises while one is told to end") {
        val options = ManagementFactory.getRuntimeMXBean().inputArguments.filter { it.startsWith("--") }
        ChildJvm.start("io.signalbox.examples.demo.MainKt", listOf("service"), options + "-Xmx128m").use { jvm ->
            val code = jvm.waitFor(Duration.ofMinutes(2))
            withClue(jvm.output()) {
                code shouldBe 0
                jvm.output() shouldContain "demo: ok"
            }
        }
    }
})
