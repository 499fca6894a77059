package io.signalbox.pool

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisClient
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.protocol.CommandType
import io.signalbox.behaviour.freshNamespace
import io.signalbox.internal.pool.Batch
import io.signalbox.internal.pool.LettuceConnection
import io.signalbox.internal.pool.Replies
import io.signalbox.internal.pool.micros
import io.signalbox.internal.pool.transact
import io.signalbox.internal.redis.Once
import io.signalbox.testkit.RedisServer
import java.time.Duration
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** The one connection that carries the transactions of all pools of a client. */
class PoolConnectionTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("transactions leave in one piece, whoever writes at the same moment, the driver's own thread included") {
        val client = RedisClient.create(RedisServer.shared().uri)
        val opened = client.connect(ByteArrayCodec.INSTANCE)
        val connection = LettuceConnection(opened, 5.0, Once { opened.closeAsync() })
        val key = freshNamespace()
        val isOver = AtomicBoolean()
        coroutineScope {
            // Goes on from each answer where the driver gives it: on the thread that writes.
            val insider =
                launch(Dispatchers.Unconfined) { while (!isOver.get()) connection.micros() }
            val outsiders =
                List(3) { number ->
                    async(Dispatchers.Default) {
                        repeat(2_000) { round ->
                            val batch = Batch()
                            val mark = "$number/$round"
                            batch.add(CommandType.HSET, "$key:$number", "mark", mark)
                            repeat(20) { batch.add(CommandType.HGET, "$key:$number", "mark") }
                            val replies: Replies? = connection.transact(batch)
                            List(20) { replies?.text(it + 1) }.distinct() shouldBe listOf(mark)
                        }
                    }
                }
            outsiders.awaitAll()
            isOver.set(true)
            insider.join()
        }
        connection.close()
        withContext(Dispatchers.IO) { client.shutdown(Duration.ZERO, Duration.ofSeconds(2)) }
    }
})
