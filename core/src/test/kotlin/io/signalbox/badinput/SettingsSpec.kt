package io.signalbox.badinput

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.signalbox.InMemoryStore
import io.signalbox.Signalbox
import io.signalbox.StoreUnavailableException
import io.signalbox.behaviour.InMemory
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.withClients
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** Settings of clients. */
class SettingsSpec : FunSpec({
    test("a lease is from 100 ms to 1 day") {
        for (lease in listOf(Duration.ZERO, -1.seconds, -Duration.INFINITE, 1.nanoseconds, 99.milliseconds, 99_999.microseconds)) {
            refusesSettings("lease", "$lease") { this.lease = lease }
        }
        for (lease in listOf(1.days + 1.milliseconds, 1.days + 1.nanoseconds, 100_000.days, Duration.INFINITE)) {
            refusesSettings("lease", "$lease", "1d") { this.lease = lease }
        }
        for (lease in listOf(100.milliseconds, 100.milliseconds + 1.nanoseconds, 1.days)) {
            for (backend in listOf(InMemory, Redis())) acceptsSettings(backend.emptyStore()) { this.lease = lease }
        }
    }

    test("a retention is from 1 s to 365 days") {
        for (retention in listOf(Duration.ZERO, -1.seconds, -Duration.INFINITE, 1.milliseconds, 999.milliseconds)) {
            refusesSettings("retention", "$retention") { this.retention = retention }
        }
        for (retention in listOf(365.days + 1.milliseconds, Duration.INFINITE)) {
            refusesSettings("retention", "$retention", "365d") { this.retention = retention }
        }
        for (retention in listOf(1.seconds, 365.days)) {
            for (backend in listOf(InMemory, Redis())) acceptsSettings(backend.emptyStore()) { this.retention = retention }
        }
    }

    test("a store timeout is 10 ms or more, and not infinite") {
        for (timeout in listOf(Duration.ZERO, -1.seconds, -Duration.INFINITE, 9.milliseconds, Duration.INFINITE)) {
            refusesSettings("storeTimeout", "$timeout") { storeTimeout = timeout }
        }
        for (timeout in listOf(10.milliseconds, 1.hours, 30.days)) acceptsSettings(InMemory.emptyStore()) { storeTimeout = timeout }
    }

    test("a store in memory begins from 1970 to 9999") {
        for (start in listOf(Instant.MIN, Instant.EPOCH.minusMillis(1), Instant.parse("+10000-01-01T00:00:00Z"), Instant.MAX)) {
            shouldThrow<IllegalArgumentException> { InMemoryStore(start = start) }.message shouldContain "1970 to 9999, but was $start"
        }
    }

    test("a namespace follows the rules for names, with at most 64 bytes") {
        for (blank in listOf("", " ")) refusesSettings("namespace", "blank", "\"$blank\"") { namespace = blank }
        for (name in listOf("{", "}", "a{b}", "{a}")) refusesSettings("namespace", "\"$name\"", "brace") { namespace = name }
        refusesSettings("namespace", "a\\u000Ab", "control") { namespace = "a\nb" }
        refusesSettings("namespace", "\\uD800", "surrogate") { namespace = "\uD800" }
        refusesSettings("namespace", "64", "65") { namespace = "a".repeat(65) }
        refusesSettings("namespace", "64", "66") { namespace = "é".repeat(33) }
        acceptsSettings(InMemory.emptyStore()) { namespace = "é".repeat(32) }
        for (name in listOf("*", "a:b", ":", "%1", "a b", "é🚂")) acceptsSettings(Redis().emptyStore()) { namespace += name }
    }

    test("a label has at most 128 bytes and no control characters") {
        refusesSettings("label", "128", "129") { label = "a".repeat(129) }
        refusesSettings("label", "128", "130") { label = "é".repeat(65) }
        refusesSettings("label", "a\\u000Ab") { label = "a\nb" }
        refusesSettings("label", "\\uD800") { label = "\uD800" }
        for (backend in listOf(InMemory, Redis())) {
            for (text in listOf("", " ", "a b:{c}|d/1=2,3;%1 *\\\"é🚂", "a".repeat(128))) {
                withClients(backend.emptyStore()) {
                    val semaphore = client { label = text }.semaphore("api", permits = 1)
                    semaphore.acquire()
                    semaphore.snapshot().holders.single().label shouldBe text
                }
            }
        }
    }

    test("a URI that cannot be used is refused without repeating its password") {
        for (uri in listOf(
            "", " ", "localhost", "redis", "redis://", "redis:///", "redis://:$SECRET@", "http://user:$SECRET@localhost",
            "$SECRET://localhost", "redis://user:$SECRET@localhost:99999", "redis://user:$SECRET@local host",
            "redis://user:$SECRET@localhost/-1", "redis://user:$SECRET@localhost/name", "redis://user:$SECRET%zz@localhost",
            "redis-sentinel://:$SECRET@", "redis-sentinel://user:$SECRET@localhost", "redis://localhost\n$SECRET", "redis://[::1:$SECRET",
        )) {
            val failure = runCatching { Signalbox.connect(uri).close() }.exceptionOrNull()
            withClue(uri) {
                val refusal = shouldThrow<IllegalArgumentException> { throw failure.shouldNotBeNull() }
                refusal.message shouldContain "redis://"
                refusal.stackTraceToString() shouldNotContain SECRET
            }
        }
    }

    test("an outage is reported without the password") {
        val client = Signalbox.connect("redis://user:$SECRET@localhost:1") { storeTimeout = 100.milliseconds }
        val failure = shouldThrow<StoreUnavailableException> { client.semaphore("api", permits = 1) }
        failure.message shouldContain "storeTimeout"
        failure.stackTraceToString() shouldNotContain SECRET
        client.toString() shouldNotContain SECRET
        client.closeAndJoin()
    }
})

private const val SECRET = "s3cret"
