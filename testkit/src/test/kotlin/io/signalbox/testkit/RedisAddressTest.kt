package io.signalbox.testkit

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotContain

class RedisAddressTest : FunSpec({
    test("host, port and TLS come from the URI") {
        with(RedisAddress.of("redis://cache.example")) {
            host shouldBe "cache.example"
            port shouldBe 6379
            tls.shouldBeNull()
            password.shouldBeNull()
        }
        with(RedisAddress.of("rediss://[::1]:7000/2")) {
            host shouldBe "::1"
            port shouldBe 7000
            tls.shouldNotBeNull()
        }
    }

    test("credentials are a password, or a user and a password") {
        RedisAddress.of("redis://secret@host").run { user to password } shouldBe (null to "secret")
        RedisAddress.of("redis://:secret@host").run { user to password } shouldBe (null to "secret")
        RedisAddress.of("redis://me:s%3Acret@host").run { user to password } shouldBe ("me" to "s:cret")
    }

    test("what is not the URI of one server is refused, without its secrets in the message") {
        for (uri in listOf("http://me:secret@host", "redis-sentinel://me:secret@host", "redis://me:secret@a:1,b:2")) {
            shouldThrow<IllegalArgumentException> { RedisAddress.of(uri) }.message shouldNotContain "secret"
        }
    }
})
