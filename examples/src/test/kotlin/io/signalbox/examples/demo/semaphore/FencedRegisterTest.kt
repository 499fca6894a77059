package io.signalbox.examples.demo.semaphore

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisClient
import io.signalbox.testkit.RedisServer

class FencedRegisterTest : FunSpec({
    val server = RedisServer.start {}
    val client = RedisClient.create(server.uri)
    val connection = client.connect()

    afterSpec {
        client.shutdown()
        server.close()
    }

    test("a smaller token than the largest seen is refused, and told which that is") {
        val register = FencedRegister(connection.async(), "refusal")
        register.write(1795251661737289, "first").accepted shouldBe true
        register.write(1795251661737291, "second").accepted shouldBe true
        register.write(1795251661737290, "late").run {
            accepted shouldBe false
            largest shouldBe 1795251661737291
        }
        register.history() shouldContainExactly listOf(1795251661737289, 1795251661737291)
    }

    test("tokens are compared as numbers, up to the largest there can be") {
        val register = FencedRegister(connection.async(), "numbers")
        register.write(9, "short").accepted shouldBe true
        register.write(10, "longer").accepted shouldBe true
        register.write(9007199254740990, "almost the last").accepted shouldBe true
        register.write(9007199254740991, "the last").accepted shouldBe true
        register.write(9007199254740990, "late").accepted shouldBe false
    }

    test("the holder may write again, which is one entry in the history") {
        val register = FencedRegister(connection.async(), "again")
        repeat(2) { register.write(5, "same").accepted shouldBe true }
        register.history() shouldContainExactly listOf(5L)
    }

    test("a deleted register leaves nothing behind") {
        val register = FencedRegister(connection.async(), "deleted")
        register.write(5, "somebody")
        register.delete()
        server.command("KEYS", "*deleted*") shouldBe ""
    }
})
