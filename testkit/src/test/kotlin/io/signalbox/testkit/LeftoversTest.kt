package io.signalbox.testkit

import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.shouldBe
import java.util.concurrent.TimeUnit

/** Starts all that the testkit can start, closes nothing, and ends when told to. */
object Litterer {
    @JvmStatic
    fun main(arguments: Array<String>) {
        val server = RedisServer.start { appendOnly().tls().user("someone", "on", "nopass") }
        val replica = RedisServer.start { replicaOf(server) }
        val child = ChildJvm.start(Echo::class.java.name)
        FaultProxy(RedisServer.shared())
        server.freeze()
        println("processes ${server.pid} ${replica.pid} ${child.pid}")
        readln()
    }
}

class LeftoversTest : FunSpec({
    test("a JVM that ends takes its servers, children and files with it") {
        val directory = tempdir()
        ChildJvm.start(Litterer::class.java.name, jvmOptions = listOf("-Djava.io.tmpdir=$directory")).use { jvm ->
            val pids = jvm.awaitLine("processes").split(' ').drop(1).map(String::toLong)
            val processes = pids.map { ProcessHandle.of(it).get() }
            directory.list().orEmpty().toList().shouldNotBeEmpty()

            jvm.send("end")
            jvm.waitFor() shouldBe 0

            processes.forEach { it.onExit().get(10, TimeUnit.SECONDS) }
            directory.list().orEmpty().toList().shouldBeEmpty()
        }
    }
})
