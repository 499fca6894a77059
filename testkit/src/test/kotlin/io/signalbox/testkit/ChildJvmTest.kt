package io.signalbox.testkit

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.time.Duration
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit
import kotlin.system.exitProcess

/** What the children of these tests run: prints its arguments, then answers each line until it is told to leave. */
object Echo {
    @JvmStatic
    fun main(arguments: Array<String>) {
        arguments.forEach(::println)
        println("ready")
        generateSequence(::readlnOrNull).forEach { line ->
            if (line == "leave") exitProcess(3)
            System.err.println("heard $line")
            println(System.getProperty("echo.prefix").orEmpty() + "echo $line" + System.getenv("ECHO_SUFFIX").orEmpty())
        }
    }
}

private fun startEcho(vararg arguments: String) = ChildJvm.start(Echo::class.java.name, arguments.toList())

class ChildJvmTest : FunSpec({
    test("a child has the class path and its arguments, and talks with the test") {
        startEcho("one", "two words").use { child ->
            child.awaitLine() shouldBe "one"
            child.awaitLine("ready")
            child.send("hello")
            child.awaitLine("echo") shouldBe "echo hello"
            child.send("leave")
            child.waitFor() shouldBe 3
            child.isAlive shouldBe false
            child.output() shouldContain "two words"
            child.output() shouldContain "heard hello"
        }
    }

    test("a child has the options and the environment that it is given, and lines go to the callback as well") {
        val heard = CopyOnWriteArrayList<String>()
        ChildJvm.start(
            Echo::class.java.name,
            listOf("first"),
            listOf("-Decho.prefix=>"),
            mapOf("ECHO_SUFFIX" to "<"),
            heard::add,
        ).use { child ->
            child.send("hello")
            // For as long as it takes.
            child.awaitLine("hello", Duration.ofSeconds(Long.MAX_VALUE)) shouldBe ">echo hello<"
            heard shouldContainExactly listOf("first", "ready", ">echo hello<")
        }
    }

    test("a killed child is dead at once") {
        startEcho().use { child ->
            child.awaitLine("ready")
            child.kill()
            child.isAlive shouldBe false
            child.waitFor() shouldBe 128 + 9
        }
    }

    test("a frozen child is silent until it is thawed") {
        startEcho().use { child ->
            child.awaitLine("ready")
            child.freeze()
            child.send("hello")
            child.lines.poll(100, TimeUnit.MILLISECONDS).shouldBeNull()
            child.thaw()
            child.awaitLine() shouldBe "echo hello"
        }
    }

    test("a closed child is dead, even if it was frozen") {
        val child = startEcho()
        child.freeze()
        child.close()
        child.isAlive shouldBe false
    }

    test("a line that does not come is reported with what came instead") {
        startEcho("something else").use { child ->
            child.awaitLine("ready")
            shouldThrow<IllegalStateException> { child.awaitLine("never", Duration.ofMillis(50)) }.message shouldContain "something else"
        }
        ChildJvm.start("no.such.Main").use { child ->
            val error = shouldThrow<IllegalStateException> { child.awaitLine("ready") }
            error.message shouldContain "ended without printing"
        }
    }
})
