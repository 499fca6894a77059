package io.signalbox.examples.demo

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.string.shouldStartWith
import io.signalbox.testkit.ChildJvm
import java.lang.management.ManagementFactory
import java.time.Duration

private class Ended(val code: Int, val output: String) {
    val lines get() = output.trim().lines()
}

private fun demo(vararg arguments: String): Ended {
    // What keeps a newer JDK from printing warnings in this JVM does so in the other one.
    val options = ManagementFactory.getRuntimeMXBean().inputArguments.filter { it.startsWith("--") }
    return ChildJvm.start("io.signalbox.examples.demo.MainKt", arguments.toList(), options + "-Xmx128m").use { jvm ->
        val code = jvm.waitFor(Duration.ofMinutes(2))
        Ended(code, jvm.output())
    }
}

private fun misused(vararg arguments: String): String {
    val ended = demo(*arguments)
    return withClue(ended.output) {
        ended.code shouldBe 2
        ended.lines.size shouldBe 1
        ended.lines.single() shouldStartWith "demo: "
        ended.lines.single()
    }
}

class DemoTest : FunSpec({
    test("a short run ends with ok") {
        // With a longer lease than usual: the workers have to renew theirs in time on a machine that does other things too.
        val ended = demo("--seconds", "6", "--lease", "6")
        withClue(ended.output) {
            ended.code shouldBe 0
            ended.lines.last() shouldStartWith "demo: ok "
            ended.lines.count { it.startsWith("demo:") } shouldBe 1
            ended.output shouldContain "is killed (SIGKILL)"
        }
    }

    test("a value out of range is named with the range") {
        misused("--permits", "0") shouldContain "--permits: 0 is not in the valid range of 1 to 15"
        misused("--seconds", "5") shouldContain "--seconds: 5 is not in the valid range of 6 to 3600"
        misused("--processes", "17") shouldContain "--processes: 17 is not in the valid range of 2 to 16"
        misused("--seconds", "soon") shouldContain "--seconds: soon"
    }

    test("with a permit for everybody nobody would have to wait") {
        misused("--permits", "4", "--processes", "4") shouldContain "--permits 4 is not in the range of 1 to 3"
    }

    test("a Redis URI that is none, or leads nowhere, is named without its password") {
        misused("--redis", "http://:secret@localhost").run {
            shouldContain("http://***@localhost")
            shouldNotContain("secret")
        }
        misused("--redis", "redis://:secret@127.0.0.1:1").run {
            shouldContain("127.0.0.1:1 cannot be reached")
            shouldNotContain("secret")
        }
    }

    test("help is no error") {
        val ended = demo("--help")
        ended.code shouldBe 0
        ended.output shouldContain "--permits"
    }
})
