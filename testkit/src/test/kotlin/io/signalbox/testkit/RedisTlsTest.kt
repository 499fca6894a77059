package io.signalbox.testkit

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.security.KeyStore
import java.security.cert.CertificateFactory
import java.security.cert.X509Certificate
import javax.net.ssl.SSLException
import javax.net.ssl.SSLSocketFactory
import kotlin.io.path.inputStream

class RedisTlsTest : FunSpec({
    test("a TLS server is trusted by those who know its certificate") {
        RedisServer.start { tls() }.use { server ->
            server.uri shouldBe "rediss://127.0.0.1:${server.port}"
            server.command("PING") shouldBe "PONG"
            val stranger = RedisAddress(server.host, server.port, SSLSocketFactory.getDefault() as SSLSocketFactory)
            shouldThrow<SSLException> { RespConnection(stranger) }
        }
    }

    test("the certificate is for the names that were asked for, in every form") {
        RedisServer.start { tls("redis.test", "10.0.0.1") }.use { server ->
            val files = server.tls.shouldNotBeNull()
            val certificate = files.certificate.inputStream().use { CertificateFactory.getInstance("X.509").generateCertificate(it) }
            (certificate as X509Certificate).subjectAlternativeNames.map { it[1] } shouldBe listOf("redis.test", "10.0.0.1")
            val store = KeyStore.getInstance(files.keyStore.toFile(), files.keyStorePassword.toCharArray())
            store.getCertificate(store.aliases().nextElement()) shouldBe certificate
        }
    }

    test("a replica of a TLS server copies over TLS") {
        RedisServer.start { tls().password("secret") }.use { master ->
            master.command("SET", "key", "value")
            RedisServer.start { replicaOf(master) }.use { it.command("GET", "key") shouldBe "value" }
        }
    }

    test("a server built without TLS is named as the problem") {
        val withoutTls = tempdir().resolve("redis-server")
        // What such a build prints, as far as it matters here.
        withoutTls.writeText(
            """
            #!/bin/sh
            echo "*** FATAL CONFIG FILE ERROR (Redis 7.0.15) ***"
            echo "Reading the configuration file, at line 7"
            echo ">>> 'tls-port \"7000\"'"
            echo "Bad directive or wrong number of arguments"
            exit 1
            """.trimIndent(),
        )
        withoutTls.setExecutable(true)
        val error = shouldThrow<IllegalStateException> { RedisServer.start { tls().binary(withoutTls.toPath()) } }
        error.message shouldContain "It was built without TLS"
        error.message shouldContain "$withoutTls"
    }
})
