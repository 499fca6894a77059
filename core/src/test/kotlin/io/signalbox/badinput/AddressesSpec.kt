package io.signalbox.badinput

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.signalbox.Signalbox
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.redis.Addresses
import io.signalbox.internal.redis.NodeAddress
import io.signalbox.internal.redis.SlotShare
import kotlin.time.Duration.Companion.milliseconds

private const val SECRET = "t0psecret"

/** Where a server is said to be. Whatever cannot be one is refused before anything is asked for in the network, and not repeated. */
class AddressesSpec : FunSpec({
    test("a name, its port and its database are what was written, also with underscores, as in Docker") {
        for ((uri, expected) in mapOf(
            "redis://localhost" to "localhost:6379/0",
            "redis://localhost:7500/3" to "localhost:7500/3",
            "redis://my_redis" to "my_redis:6379/0",
            "redis://my_redis:7500" to "my_redis:7500/0",
            "redis://user:$SECRET@my_redis:7500/3" to "my_redis:7500/3",
            "rediss://user:$SECRET%23@10.0.0.1:7500" to "10.0.0.1:7500/0",
            "rediss://cache.example.com:1?verifyPeer=FULL" to "cache.example.com:1/0",
            "redis://localhost:65535?timeout=1s&database=2" to "localhost:65535/2",
        )) {
            val parsed = Addresses.parse(uri)
            withClue(uri) { "${parsed.host}:${parsed.port}/${parsed.database}" shouldBe expected }
        }
        Addresses.parse("redis://[::1]:7500").port shouldBe 7500
        Addresses.parse("redis-sentinel://$SECRET@one:26379,two_2:26380/1#master").sentinels.map { "${it.host}:${it.port}" } shouldBe
            listOf("one:26379", "two_2:26380")
    }

    test("what cannot be split is refused, with the reason, and without the text") {
        for ((uri, reason) in mapOf(
            "redis://:$SECRET#pw@localhost" to "%23",
            "redis-sentinel://:$SECRET#pw@localhost#master" to "%23",
            "redis://:$SECRET@pw@localhost" to "%40",
            "redis://:$SECRET/pw@localhost" to "no host",
            "redis://:$SECRET?pw@localhost" to "no host",
            "redis://:$SECRET pw@localhost" to "percent-encoded",
            "redis://host-$SECRET:1,host:2" to "connectCluster()",
            "redis-sentinel://:$SECRET@host:1,host:2" to "add #name",
            "redis-sentinel://:$SECRET@host:1#" to "add #name",
            "redis://::1:7500" to "no host",
            "redis://:7500" to "no host",
            "redis://$SECRET:" to "no host",
            "redis://-$SECRET" to "no host",
            "redis://localhost:0" to "1 to 65535",
            "redis://localhost:99999" to "1 to 65535",
            "redis://localhost:9999999999999" to "1 to 65535",
            "rediss://:$SECRET@localhost?verifyPeer=false" to "verified",
            "rediss://:$SECRET@localhost?verifyPeer=NONE" to "verified",
            "rediss://:$SECRET@localhost?timeout=1s&verifyPeer=CA" to "verified",
            "redis-socket:///tmp/$SECRET.sock" to "native transport",
            "redis+socket:///tmp/$SECRET.sock" to "native transport",
            "http://$SECRET" to "redis://",
        )) {
            withClue(uri) {
                val refusal = shouldThrow<IllegalArgumentException> { Signalbox.connect(uri).close() }
                refusal.message shouldContain reason
                refusal.message shouldContain "redis://"
                refusal.stackTraceToString() shouldNotContain SECRET
            }
        }
    }

    test("the nodes of a cluster are as many as are written, in one address or several, each with what the whole has") {
        fun nodes(vararg uris: String) = Addresses.parseCluster(uris.toList()).map { "${it.host}:${it.port}" }
        nodes("redis://one:7000,two_2,10.0.0.3:7002") shouldBe listOf("one:7000", "two_2:6379", "10.0.0.3:7002")
        nodes("redis://one", "redis://two:1,three") shouldBe listOf("one:6379", "two:1", "three:6379")
        nodes("redis://[::1]:7000,[::2]:7001").map { it.substringAfterLast(':') } shouldBe listOf("7000", "7001")
        Addresses.parseCluster(listOf("rediss://user:$SECRET@one,two?timeout=1s")).forEach {
            it.isSsl shouldBe true
            it.credentialsProvider.resolveCredentials().block()!!.username shouldBe "user"
        }
        for ((uri, reason) in mapOf(
            "redis://:$SECRET@one,two/1" to "database 0 only",
            "redis-sentinel://:$SECRET@one#main" to "found by redis://",
            "redis://:$SECRET@one,,two" to "no host",
            "redis://:$SECRET@one@two" to "%40",
            "one:$SECRET" to "redis://",
        )) {
            withClue(uri) {
                val refusal = shouldThrow<IllegalArgumentException> { Signalbox.connectCluster(uri).close() }
                refusal.message shouldContain reason
                refusal.stackTraceToString() shouldNotContain SECRET
            }
        }
        shouldThrow<IllegalArgumentException> { Signalbox.connectCluster(emptyList()) }.message shouldContain "one node"
    }

    test("where a cluster says that a node is") {
        val asked = NodeAddress("asked", 1)
        NodeAddress.parse("127.0.0.1:7000", asked) shouldBe NodeAddress("127.0.0.1", 7000)
        NodeAddress.parse("node-1.example.com:7000", asked) shouldBe NodeAddress("node-1.example.com", 7000)
        NodeAddress.parse("::1:7000", asked) shouldBe NodeAddress("::1", 7000)
        NodeAddress.parse(":7000", asked) shouldBe NodeAddress("asked", 7000)
        NodeAddress.parse("?:7000", asked) shouldBe NodeAddress("asked", 7000)
        NodeAddress.parse(":7000", null) shouldBe null
        NodeAddress.parse("nonsense", asked) shouldBe null
        val master = listOf("10.0.0.1".toByteArray(), 7000L, "id".toByteArray())
        val nameless = listOf(null, 7001L, "id".toByteArray(), emptyList<Any>())
        SlotShare.parse(listOf(listOf(0L, 8000L, master, nameless), listOf(8001L, 16383L, nameless)), asked).map {
            it.slots to it.address
        } shouldBe
            listOf(0..8000 to NodeAddress("10.0.0.1", 7000), 8001..16383 to NodeAddress("asked", 7001))
    }

    test("a name that nobody has is asked for as it is, and the error names it and no password") {
        val client = Signalbox.connect("redis://:$SECRET@no_such_host.invalid:7500") { storeTimeout = 100.milliseconds }
        val failure = shouldThrow<StoreUnavailableException> { client.semaphore("api", permits = 1) }
        failure.stackTraceToString() shouldNotContain SECRET
        client.closeAndJoin()
    }
})
