package io.signalbox

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempfile
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.lettuce.core.RedisClient
import io.lettuce.core.RedisCredentials
import io.lettuce.core.RedisCredentialsProvider
import io.lettuce.core.cluster.RedisClusterClient
import io.signalbox.testkit.RedisServer
import java.nio.file.Path
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import reactor.core.publisher.Mono

/** How a server is reached, beyond what the URI says. */
class EncryptedConnectionTest : FunSpec({
    test("a server that wants certificates of its clients, from an authority of its own, under a name that its certificate has not") {
        RedisServer.start { tls("redis.test") }.use { server ->
            // From now on; the test kit has no certificate either.
            server.command("CONFIG", "SET", "tls-auth-clients", "yes")
            val files = server.tls.shouldNotBeNull()

            suspend fun outcome(configure: ConnectionSettings.() -> Unit): Boolean =
                Signalbox.connect(server.uri) {
                    storeTimeout = 3000.milliseconds
                    connection(configure)
                }.use { signalbox ->
                    try {
                        signalbox.semaphore("api", 1).withPermit { true }
                    } catch (_: StoreUnavailableException) {
                        false
                    }
                }

            outcome {
                trustedCertificates = files.certificate
                clientCertificate = files.certificate
                clientKey = files.privateKey
                verifyHostName = false
            } shouldBe true
            // The name of the host is none of the certificate's.
            outcome {
                trustedCertificates = files.certificate
                clientCertificate = files.certificate
                clientKey = files.privateKey
            } shouldBe false
            outcome {
                trustedCertificates = files.certificate
                verifyHostName = false
            } shouldBe false
        }
    }

    test("credentials are asked for at each connection, and options are the user's") {
        RedisServer.start { password("secret") }.use { server ->
            val asked = AtomicInteger()
            val provider =
                RedisCredentialsProvider {
                    asked.incrementAndGet()
                    Mono.just(RedisCredentials.just("default", "secret"))
                }
            val uri = "redis://${server.host}:${server.port}"
            val signalbox =
                Signalbox.connect(uri) {
                    connection {
                        credentials = provider
                        options { requestQueueSize(1000) }
                    }
                }
            signalbox.use {
                it.semaphore("api", 1).withPermit { }
                server.command("CLIENT", "KILL", "TYPE", "normal")
                it.semaphore("api", 1).withPermit { }
            }
            check(asked.get() >= 2) { "asked ${asked.get()} times" }
        }
    }

    test("what cannot work is refused when the client is made, and names what it is") {
        val garbage = tempfile().apply { writeText("t0psecret") }.toPath()

        fun refusal(
            uri: String = "rediss://localhost",
            configure: ConnectionSettings.() -> Unit,
        ) = shouldThrow<IllegalArgumentException> { Signalbox.connect(uri) { connection(configure) } }.message

        refusal { trustedCertificates = Path.of("/no/such/file") } shouldContain "/no/such/file"
        refusal { trustedCertificates = garbage }.let {
            it shouldContain "PEM"
            it shouldNotContain "t0psecret"
        }
        refusal { clientCertificate = garbage } shouldContain "only clientCertificate is set"
        refusal("redis://localhost") { verifyHostName = false } shouldContain "rediss://"
        val lettuce = RedisClient.create("redis://localhost")
        shouldThrow<IllegalArgumentException> { Signalbox(lettuce) { connection { verifyHostName = false } } }.message shouldContain
            "by a URI"
        lettuce.shutdown()
        val cluster = RedisClusterClient.create("redis://localhost")
        shouldThrow<IllegalArgumentException> { Signalbox(cluster) { connection { } } }.message shouldContain "by a URI"
        cluster.shutdown()
    }
})
