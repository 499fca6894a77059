package io.signalbox.internal.redis

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.ByteArrayOutput
import io.signalbox.Signalbox
import io.signalbox.internal.BackendOwner
import io.signalbox.internal.SignalboxBackend
import io.signalbox.testkit.RedisServer
import io.signalbox.use
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred

/** Requests whose arguments are decided while they are written. */
class LateCommandSpec : FunSpec({
    timeout = 30.seconds.inWholeMilliseconds

    test("what is asked for while a request is being written gets its own reply, and the request its own") {
        val echo = Script("return ARGV[1]")
        val keys = emptyList<ByteArray>()
        val output = { ByteArrayOutput(ByteArrayCodec.INSTANCE) }
        Signalbox.connect(RedisServer.shared().uri).use { signalbox ->
            val line = ((signalbox as BackendOwner).backend.store as SignalboxBackend.Store.Redis).line
            line.ask(echo, keys, output) { add("warm") }
            repeat(20) { round ->
                val meanwhile = CompletableDeferred<String>()
                val late = CompletableDeferred<String>()
                line.sendLate(echo, keys, RedisLine.FIRST_DELIVERY, output, {
                    line.send(echo, keys, RedisLine.FIRST_DELIVERY, output, { add("meanwhile $round") }) { reply, failure ->
                        meanwhile.complete("${reply?.let(::String) ?: failure}")
                    }
                    val arguments: Arguments.() -> Unit = { add("late $round") }
                    arguments
                }) { reply, failure -> late.complete("${reply?.let(::String) ?: failure}") }
                late.await() shouldBe "late $round"
                meanwhile.await() shouldBe "meanwhile $round"
            }
        }
    }
})
