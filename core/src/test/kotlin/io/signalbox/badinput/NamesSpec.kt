package io.signalbox.badinput

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeUnique
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.signalbox.behaviour.InMemory
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.withClients

/** Names of semaphores. */
class NamesSpec : FunSpec({
    test("a name must not be blank") {
        witnessed {
            for (blank in listOf("", " ", "   ", "\u00A0", "\u2003")) {
                refuses<IllegalArgumentException>(listOf("name", "blank", "\"$blank\"")) { client.semaphore(blank, permits = 1) }
                refuses<IllegalArgumentException>(listOf("name", "blank", "\"$blank\"")) { client.attach(blank) }
            }
        }
    }

    test("a name must not contain braces, wherever") {
        witnessed {
            for (name in listOf("{", "}", "{}", "}a", "a{", "a}b", "{a}", "{a}{b}", "a{b}c")) {
                refuses<IllegalArgumentException>(listOf("name", "\"$name\"", "brace")) { client.semaphore(name, permits = 1) }
                refuses<IllegalArgumentException>(listOf("name", "\"$name\"", "brace")) { client.attach(name) }
            }
        }
    }

    test("a name must not contain control characters, and the refusal does not repeat them") {
        witnessed {
            for (control in listOf('\u0000', '\n', '\r', '\t', '\u001B', '\u007F', '\u0085', '\u009B')) {
                val escaped = "\\u%04X".format(control.code)
                for (name in listOf("a${control}b", "${control}b", "a$control")) {
                    if (name.isBlank()) continue
                    refuses<IllegalArgumentException>(listOf("name", name.replace("$control", escaped), "control")) {
                        client.semaphore(name, permits = 1)
                    }
                    shouldThrow<IllegalArgumentException> { client.attach(name) }.message!! shouldNotContain "$control"
                }
            }
        }
    }

    test("a name must not contain lone surrogates, which would become one and the same byte sequence") {
        witnessed {
            for (name in listOf("\uD800", "\uDC00", "a\uD83D", "\uDE80b", "\uDE80\uD83D", "\uD83D\uD83D\uDE80")) {
                refuses<IllegalArgumentException>(listOf("name", "surrogate", "\\uD", "index")) { client.semaphore(name, permits = 1) }
                refuses<IllegalArgumentException>(listOf("name", "surrogate")) { client.attach(name) }
            }
        }
    }

    test("a name has at most 256 bytes of UTF-8") {
        witnessed {
            for (name in listOf("a".repeat(257), "é".repeat(128) + "a", "🚂".repeat(64) + "a", "名".repeat(86))) {
                refuses<IllegalArgumentException>(listOf("name", "256", name.take(10), "${name.toByteArray().size}")) {
                    client.semaphore(name, permits = 1)
                }
            }
            shouldThrow<IllegalArgumentException> { client.semaphore("x".repeat(1_000_000), permits = 1) }
                .message.shouldNotBeNull().length shouldBeLessThan 1_000
            for (name in listOf("a".repeat(256), "é".repeat(128), "🚂".repeat(64), "名".repeat(85))) {
                client.semaphore(name, permits = 1).acquire().release() shouldBe true
            }
        }
    }

    test("in memory the same names are refused") {
        withClients(InMemory.emptyStore()) {
            val client = client()
            for (name in listOf("", " ", "a{b", "}", "a\nb", "\u0000", "\uD800", "a".repeat(257))) {
                shouldThrow<IllegalArgumentException> { client.semaphore(name, permits = 1) }.message shouldContain "name"
                shouldThrow<IllegalArgumentException> { client.attach(name) }.message shouldContain "name"
            }
        }
    }

    for ((backend, store) in listOf("in memory" to InMemory::emptyStore, "on Redis" to Redis()::emptyStore)) {
        test("names that look like syntax are names, each of a semaphore of its own, $backend") {
            withClients(store()) {
                val here = client()
                val there = client()
                NASTY.shouldBeUnique()
                NASTY.forEachIndexed { i, name -> here.semaphore(name, permits = i + 1).acquire(permits = i + 1) }
                NASTY.forEachIndexed { i, name ->
                    val semaphore = there.attach(name)
                    semaphore.name shouldBe name
                    semaphore.permits() shouldBe i + 1
                    semaphore.availablePermits() shouldBe 0
                    semaphore.resize(i + 2)
                    semaphore.acquire().run {
                        this.name shouldBe name
                        release() shouldBe true
                    }
                    val snapshot = semaphore.snapshot()
                    snapshot.name shouldBe name
                    snapshot.holders.single().permits shouldBe i + 1
                }
            }
        }
    }
})

private val NASTY = listOf(
    // What keys, members and fields are made of.
    "state", "held", "queue", "sessions", "unclaimed", "limits", "inbox", "sem", "a", "a:queue", "a:state", ":", "::", "sem:a:state",
    "|", "a|deadline", "/", "a/1/1/-1/0", "=", ",", "0", "-1",
    // What commands, patterns, scripts, formats and shells interpret.
    "*", "?", "[", "[a-z]", "^", "%", "%1", "%%", "%s", "\\", "\\n", "\"", "'", "$", "\$(x)", "`", "--", "a--b",
    ";", "nil", "nan", "inf", "0x10", "1e3", "a b", " a", "a ", "..", "<a>", "&amp;",
    // What text is.
    "A", "é", "e\u0301", "ß", "ss", "SS", "i", "I", "ı", "İ", "ﬁ", "fi", "名前", "שלום", "\u202Etxt", "🚂", "👨\u200D👩\u200D👧",
    "\uFEFFa", "\u200B", "a\u2028b", "\uFFFD", "\uFFFF", "a".repeat(256),
)
