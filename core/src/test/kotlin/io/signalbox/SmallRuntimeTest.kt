package io.signalbox

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.signalbox.testkit.ChildJvm
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeoutOrNull

/** Acquires, waits for, loses and gives back a permit. */
object SmallRuntime {
    @JvmStatic
    fun main(arguments: Array<String>) {
        runBlocking {
            Signalbox.connect(arguments.single()) { namespace = "small-runtime" }.use { signalbox ->
                val semaphore = signalbox.semaphore("api", permits = 1)
                semaphore.withPermit {
                    check(withTimeoutOrNull(50.milliseconds) { semaphore.acquire() } == null)
                }
                semaphore.acquire().release()
            }
        }
        println("modules: " + ModuleLayer.boot().modules().map { it.name }.sorted())
    }
}

class SmallRuntimeTest :
    FunSpec({
        test("a runtime with no more modules than jdeps lists is enough, without jdk.net too") {
            val modules = "java.base,java.logging,java.management,java.naming,jdk.unsupported"
            // The last is for the logging of the tests alone.
            val options = listOf("-Xmx128m", "--limit-modules=$modules,java.xml")
            ChildJvm.start(SmallRuntime::class.java.name, listOf(RedisServer.shared().uri), options).use { child ->
                child.awaitLine("modules: ").contains("jdk.net") shouldBe false
                child.waitFor() shouldBe 0
            }
        }
    })
