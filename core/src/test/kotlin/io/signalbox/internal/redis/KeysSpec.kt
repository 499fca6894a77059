package io.signalbox.internal.redis

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeUnique
import io.kotest.matchers.shouldBe
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName

/** Keys are injective, and those of one semaphore have one hash tag. */
class KeysSpec : FunSpec({
    test("the keys of a semaphore are those of the protocol, with the name as their hash tag") {
        Keys("signalbox").of(LedgerName(Kind.SEMAPHORE, "api")).map { String(it) } shouldBe
            listOf("state", "listed", "limits", "signals", "queue", "sessions").map { "signalbox:sem:{api}:2:$it" }
    }

    test("other names and namespaces have other keys, whatever they consist of") {
        val parts =
            listOf("a", "b", "sem", "mutex", "inbox", ":", "a:", ":a", "a:sem", "sem:a", "a:sem:a", "state", "a:state", "é", "e\u0301")
        val keys = parts.flatMap { namespace ->
            parts.flatMap { name -> Kind.entries.flatMap { Keys(namespace).of(LedgerName(it, name)) } }.map { String(it) } +
                parts.map { Keys(namespace).inbox(it, 0) }
        }
        keys.shouldBeUnique()
        for (key in keys) key.count { it == '{' } shouldBe 1
    }

    test("each connection of a client has an inbox of its own") {
        Keys("ns").inbox("client", 3) shouldBe "ns:inbox:{client:3}"
    }
})
