package io.signalbox.fault

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.throwables.shouldThrowAny
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.signalbox.AcquireTimeoutException
import io.signalbox.Signalbox
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What the text of a failure says, where the driver or the server knows more than that there was no answer. */
class MessagesTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    class Case(
        val name: String,
        val uri: Stage.() -> String,
        val says: List<String>,
        val leavesOut: List<String> = listOf("none reported"),
    )

    val cases =
        listOf(
            Case("nobody listens", { "redis://127.0.0.1:1" }, listOf("Unable to connect", "refused")),
            Case("a database that is not there", { "${redis.uri}/99" }, listOf("DB index", "database"), listOf("type", "namespace")),
            Case("TLS on a plain port", {
                redis.uri.replace("redis://", "rediss://")
            }, listOf("no answer of any kind", "TLS at both ends")),
            Case("a wrong password", { redis.uriFor("nobody", "wrong") }, listOf("WRONGPASS", "password")),
            Case("no Sentinel answers", { "redis-sentinel://127.0.0.1:1#main" }, listOf("Sentinel")),
        )
    for (case in cases) {
        test("the text names the cause: ${case.name}") {
            onStage {
                val client = client(case.uri(this)) { storeTimeout = 2.seconds }
                val text = shouldThrowAny { client.semaphore("api", 1) }.message
                case.says.forEach { text shouldContain it }
                case.leavesOut.forEach { text shouldNotContain it }
            }
        }
    }

    test("a server that became a replica has answered, and the text says what") {
        onStage {
            val semaphore = client(lease = 3.seconds) { storeTimeout = 2.seconds }.semaphore("api", 1)
            RedisServer.start().use { primary ->
                redis.command("REPLICAOF", primary.host, "${primary.port}")
                val text = shouldThrowAny { semaphore.resize(2) }.message
                text shouldContain "READONLY"
                text shouldNotContain "did not answer"
            }
        }
    }

    test("a mutex has no permits in its texts") {
        onStage {
            val mutex = client().mutex("report")
            mutex.lock()
            shouldThrow<AcquireTimeoutException> { mutex.lock(20.milliseconds) }.message shouldNotContain "permit"
        }
    }

    test("limits that are not set are told as such, not as numbers of a language") {
        onStage {
            val client = client()
            val kept = client.semaphore("api", 1)
            val text = shouldThrow<IllegalArgumentException> { client.semaphore("api", 1) { maxHold = 1.seconds } }.message
            text shouldContain "maxHold=none"
            text shouldNotContain "Infinity"
            text shouldContain kept.name
        }
    }

    for (uri in listOf("redis://host:abc", "redis://host:-1", "nonsense")) {
        test("an address that cannot be meant is refused with all forms that can: $uri") {
            val text = shouldThrow<IllegalArgumentException> { Signalbox.connect(uri) }.message
            text shouldContain "redis://[[user:]password@]host[:port][/database]"
            text shouldContain "redis-sentinel://"
        }
    }
})
