package io.signalbox.testkit

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.kotest.matchers.types.shouldBeSameInstanceAs

/** Asks the shared server a question in a JVM of its own. */
object SharedUser {
    @JvmStatic
    fun main(arguments: Array<String>) {
        println("answer: " + RedisServer.shared().command(*arguments))
    }
}

class SharedRedisTest : FunSpec({
    test("there is one shared server, and it answers") {
        val server = RedisServer.shared()
        RedisServer.shared() shouldBeSameInstanceAs server
        server.command("PING") shouldBe "PONG"
    }

    test("the server of the environment comes first, and is announced without its password") {
        RedisServer.start { password("secret") }.use { given ->
            given.command("SET", "key", "value")
            val environment = mapOf(SharedRedis.URI_VARIABLE to given.uri)
            ChildJvm.start(SharedUser::class.java.name, listOf("GET", "key"), environment = environment).use { child ->
                child.awaitLine() shouldBe
                    "signalbox-testkit: sharing the server of SIGNALBOX_REDIS_URI at redis://***@127.0.0.1:${given.port}"
                child.awaitLine() shouldBe "answer: value"
                child.waitFor() shouldBe 0
            }
        }
    }

    test("the program of the environment comes before any other") {
        val program = RedisBinary.default.path
        val environment = mapOf(SharedRedis.URI_VARIABLE to "", RedisBinary.VARIABLE to "$program")
        ChildJvm.start(SharedUser::class.java.name, listOf("PING"), environment = environment).use { child ->
            child.awaitLine() shouldContain Regex("^signalbox-testkit: sharing $program \\S+ of SIGNALBOX_REDIS_SERVER at redis://")
            child.awaitLine() shouldBe "answer: PONG"
            child.waitFor() shouldBe 0
        }
    }

    test("a program of the environment that is none is an error") {
        val environment = mapOf(SharedRedis.URI_VARIABLE to "", RedisBinary.VARIABLE to "/no/redis-server")
        ChildJvm.start(SharedUser::class.java.name, listOf("PING"), environment = environment).use { child ->
            child.waitFor() shouldBe 1
            child.output() shouldContain "SIGNALBOX_REDIS_SERVER is /no/redis-server, which is no program"
        }
    }

    test("without one in the environment a server is found and announced in one line, with no other noise") {
        val environment = mapOf(SharedRedis.URI_VARIABLE to "")
        ChildJvm.start(SharedUser::class.java.name, listOf("PING"), environment = environment).use { child ->
            child.awaitLine() shouldContain Regex("^signalbox-testkit: sharing .* at redis://")
            child.awaitLine() shouldBe "answer: PONG"
            child.waitFor() shouldBe 0
            child.output() shouldNotContain "ERROR"
        }
    }
})
