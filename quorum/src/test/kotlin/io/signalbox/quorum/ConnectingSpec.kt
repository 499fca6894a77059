package io.signalbox.quorum

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.signalbox.Signalbox
import kotlin.time.Duration.Companion.seconds

class ConnectingSpec : FunSpec({
    test("a quorum has 3, 5 or 7 masters, and says why not others") {
        shouldThrow<IllegalArgumentException> { Signalbox.connectQuorum(listOf("redis://a")) }.message shouldContain "Signalbox.connect()"
        shouldThrow<IllegalArgumentException> { Signalbox.connectQuorum(List(4) { "redis://a$it" }) }.message shouldContain "3 survive"
        shouldThrow<IllegalArgumentException> { Signalbox.connectQuorum(List(9) { "redis://a$it" }) }.message shouldContain "slower"
        shouldThrow<IllegalArgumentException> { InMemoryMasters(2) }
    }

    test("the same address twice is refused, and no password is told") {
        val refusal = shouldThrow<IllegalArgumentException> {
            Signalbox.connectQuorum(listOf("redis://:secret@a", "redis://b", "redis://:secret@a"))
        }
        refusal.message shouldContain "a:6379"
        refusal.message!! shouldNotContain "secret"
    }

    test("the same server under two addresses is noticed") {
        val masters = Masters(lease = 10.seconds, servers = Masters.shared)
        val uris = listOf(masters[0].uri, masters[1].uri, masters[0].uri.replace("127.0.0.1", "localhost"))
        shouldThrow<IllegalArgumentException> { masters.connect(uris).mutex("m") }.message shouldContain "same server"
        masters.end()
    }

    test("another longest lease than the masters were told is refused") {
        val masters = Masters(lease = 10.seconds, servers = Masters.shared)
        shouldThrow<IllegalArgumentException> { masters.connect { longestLease = 20.seconds }.mutex("m") }.message shouldContain "10s"
        masters.end()
    }
})
