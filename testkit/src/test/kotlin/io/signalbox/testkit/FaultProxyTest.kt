package io.signalbox.testkit

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import java.io.IOException
import java.net.SocketTimeoutException
import java.time.Duration

private val impatience = Duration.ofMillis(100)

private fun FaultProxy.connect() = RespConnection(RedisAddress(host, port))

private fun RespConnection.call(vararg words: String) = call(words.toList())

private fun RespConnection.send(vararg words: String) = send(words.toList())

class FaultProxyTest : FunSpec({
    val redis = RedisServer.start()
    afterSpec { redis.close() }
    beforeTest { redis.command("FLUSHALL") }

    /** Waits for what another connection does to the server: a blocking read returns as soon as there is something to read. */
    fun awaitElement(list: String) = redis.command("BLPOP", list, "10")

    test("without a fault everything is passed on") {
        FaultProxy(redis).use { proxy ->
            val large = "x".repeat(1_000_000)
            proxy.connect().use { client ->
                client.call("SET", "key", large) shouldBe "OK"
                client.call("GET", "key") shouldBe large
            }
            proxy.connect().use { it.call("PING") shouldBe "PONG" }
            proxy.awaitConnections(2)
            proxy.connections.map { it.index } shouldBe listOf(0, 1)
        }
    }

    test("dropped replies: the server executes, the client hears nothing") {
        FaultProxy(redis).use { proxy ->
            proxy.connect().use { client ->
                client.call("PING") shouldBe "PONG"
                proxy.dropReplies()
                client.patience = impatience
                shouldThrow<SocketTimeoutException> { client.call("SET", "key", "value") }
                proxy.awaitDroppedReply().index shouldBe 0
                redis.command("GET", "key") shouldBe "value"
            }
            proxy.cut()
            proxy.dropReplies(false)
            proxy.connect().use { it.call("GET", "key") shouldBe "value" }
        }
    }

    test("a single dropped reply: the next one is let through") {
        FaultProxy(redis).use { proxy ->
            proxy.connect().use { client ->
                client.call("PING")
                proxy.connections.single().dropNextReply()
                client.send("INCR", "counter")
                proxy.awaitDroppedReply()
                client.call("INCR", "counter") shouldBe "2"
            }
        }
    }

    test("a lost reply: the one connection that ran the command is reset, and the command has been executed") {
        FaultProxy(redis).use { proxy ->
            proxy.onRequest { connection, request -> if ("INCR" in request) connection.loseNextReply() }
            proxy.connect().use { victim ->
                proxy.connect().use { bystander ->
                    victim.call("PING") shouldBe "PONG"
                    shouldThrow<IOException> { victim.call("INCR", "counter") }
                    bystander.call("GET", "counter") shouldBe "1"
                    proxy.connections.map { it.isOpen } shouldBe listOf(false, true)
                }
            }
        }
    }

    test("a reply filter swallows what it does not deliver") {
        FaultProxy(redis).use { proxy ->
            proxy.onReply { _, reply -> "unwanted" !in reply }
            proxy.connect().use { client ->
                client.send("ECHO", "unwanted")
                proxy.awaitDroppedReply()
                client.call("ECHO", "wanted") shouldBe "wanted"
            }
        }
    }

    test("held requests arrive when they are released, in order") {
        FaultProxy(redis).use { proxy ->
            proxy.connect().use { client ->
                proxy.holdRequests()
                client.send("RPUSH", "list", "a")
                client.send("RPUSH", "list", "b")
                proxy.awaitHeldRequest("b")
                redis.command("EXISTS", "list") shouldBe "0"
                proxy.releaseRequests()
                client.receive() shouldBe "1"
                client.receive() shouldBe "2"
                redis.command("LRANGE", "list", "0", "-1") shouldBe "a\nb"
            }
        }
    }

    test("a held request arrives even after its client is gone") {
        for (leave in listOf<
            (
                RespConnection,
                ProxiedConnection,
            ) -> Unit,
            >({ client, _ -> client.close() }, { _, link -> link.cutClient() })) {
            FaultProxy(redis).use { proxy ->
                val client = proxy.connect()
                client.call("PING")
                // The server's answer to this one is never read: closing now resets the connection.
                client.send("PING")
                proxy.connections.single().holdRequests()
                client.send("RPUSH", "list", "late")
                leave(client, proxy.awaitHeldRequest("late"))
                redis.command("EXISTS", "list") shouldBe "0"
                proxy.connections.single().releaseRequests()
                awaitElement("list") shouldBe "list\nlate"
                client.close()
            }
        }
    }

    test("a request can be held by its content") {
        FaultProxy(redis).use { proxy ->
            proxy.onRequest { connection, request -> if ("slow" in request) connection.holdRequests() }
            proxy.connect().use { slow ->
                proxy.connect().use { fast ->
                    slow.send("RPUSH", "list", "slow")
                    proxy.awaitHeldRequest("slow").index shouldBe 0
                    fast.call("RPUSH", "list", "fast") shouldBe "1"
                    proxy.connections.first().releaseRequests()
                    slow.receive() shouldBe "2"
                }
            }
        }
    }

    test("a delay holds up each way") {
        FaultProxy(redis).use { proxy ->
            proxy.delay(Duration.ofMillis(50))
            proxy.connect().use { client ->
                val start = System.nanoTime()
                client.send("PING")
                client.send("PING")
                client.receive() shouldBe "PONG"
                client.receive() shouldBe "PONG"
                Duration.ofNanos(System.nanoTime() - start).toMillis() shouldBeGreaterThanOrEqual 100
                proxy.delay(Duration.ZERO)
                client.call("PING") shouldBe "PONG"
            }
        }
    }

    test("a cut resets every connection and loses what was held; new connections work") {
        FaultProxy(redis).use { proxy ->
            val clients = List(3) { proxy.connect() }
            clients.forEach { it.call("PING") }
            proxy.holdRequests()
            clients.first().send("SET", "key", "value")
            proxy.awaitHeldRequest("SET")
            proxy.cut()
            clients.forEach { client -> shouldThrow<IOException> { client.receive() } }
            proxy.releaseRequests()
            proxy.connect().use { it.call("EXISTS", "key") shouldBe "0" }
            clients.forEach(RespConnection::close)
        }
    }

    test("a stalled link is silent but open, and delivers when it resumes") {
        FaultProxy(redis).use { proxy ->
            proxy.connect().use { client ->
                client.call("PING")
                proxy.stall()
                client.send("INCR", "counter")
                proxy.awaitHeldRequest("INCR")
                client.patience = impatience
                shouldThrow<SocketTimeoutException> { client.receive() }
                proxy.connections.single().isOpen shouldBe true
                redis.command("EXISTS", "counter") shouldBe "0"
            }
            // The server learns of the request and of the closed connection only now.
            proxy.resume()
            proxy.connect().use { it.call("INCR", "counter") }
        }
    }

    test("a closed server closes the client's connection") {
        RedisServer.start().use { mortal ->
            FaultProxy(mortal).use { proxy ->
                proxy.connect().use { client ->
                    client.call("PING")
                    mortal.kill()
                    shouldThrow<IOException> { client.receive() }
                }
                shouldThrow<IOException> { proxy.connect().use { it.call("PING") } }
            }
        }
    }

    test("new connections can be refused or sent elsewhere") {
        RedisServer.start().use { other ->
            FaultProxy(redis).use { proxy ->
                proxy.connect().use { client ->
                    client.call("SET", "key", "here")
                    proxy.refuseConnections()
                    shouldThrow<IOException> { proxy.connect().use { it.call("PING") } }
                    proxy.refuseConnections(false)
                    proxy.redirect(other.host, other.port)
                    proxy.connect().use { it.call("EXISTS", "key") shouldBe "0" }
                    client.call("EXISTS", "key") shouldBe "1"
                }
            }
        }
    }

    test("a closed proxy has no open connection and accepts none") {
        val proxy = FaultProxy(redis)
        proxy.connect().use { client ->
            client.call("PING")
            proxy.close()
            shouldThrow<IOException> { client.call("PING") }
            shouldThrow<IOException> { proxy.connect() }
        }
    }

    test("what does not happen in time is reported") {
        FaultProxy(redis).use { proxy ->
            shouldThrow<IllegalStateException> { proxy.awaitConnections(1, impatience) }.message shouldBe
                "0 connections, not 1 within PT0.1S"
        }
    }
})
