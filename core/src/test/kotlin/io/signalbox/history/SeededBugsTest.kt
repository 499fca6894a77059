package io.signalbox.history

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.Semaphore
import io.signalbox.fault.Stage
import io.signalbox.fault.onStage
import io.signalbox.internal.redis.Scripts
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/** A bug put into the scripts of production, and what the [AuditCheck] says of a history made with it. */
private class SeededBug(
    val name: String,
    val finding: String,
    /** What is right, and the wrong that takes its place. */
    private vararg val changes: Pair<String, String>,
) {
    fun scripts(): Scripts {
        val applied = HashSet<String>()
        val scripts =
            Scripts { script ->
                val spoilt =
                    changes.fold(script) { text, (right, wrong) ->
                        if (right in text) applied += right
                        text.replace(right, wrong)
                    }
                audited(spoilt)
            }
        check(applied.size == changes.size) { "Not in the scripts any more: ${changes.map { it.first } - applied}" }
        return scripts
    }
}

private val BUGS =
    listOf(
        SeededBug(
            "newcomers come before the queue",
            "passes by",
            "while open and left > 0 and waiting > 0" to "while ARGV[8] == '0' and open and left > 0 and waiting > 0",
            "if waiting == 0 and open then" to "if open then",
        ),
        SeededBug("the last in the queue is the first out", "passes by", "'ZRANGE', queue, 0, look" to "'ZREVRANGE', queue, 0, look"),
        SeededBug(
            "one permit too many",
            "3 of 2 permits held",
            "math.floor((permits - weight_held)" to "math.floor((permits + 1 - weight_held)",
        ),
        SeededBug(
            "tokens by the second",
            "token not larger than",
            "math.max(fence + 1, micros)" to "math.floor(micros / 1000000) * 1000000",
        ),
        SeededBug("nobody is granted what comes back", "waited", "while open and left > 0" to "while now < 0 and left > 0"),
        SeededBug(
            "half a lease",
            "taken after",
            "if wake <= now then" to "if true then",
            "sessions, '-inf', text(now)," to "sessions, '-inf', text(now + 1000),",
        ),
        SeededBug(
            "the dead keep their permits",
            "waited",
            "redis.call('ZREM', held, unpack(gone))\n" to "\n",
        ),
    )

/** Less than the rounds of [SeededBugsTest] take as long as they are granted nothing. */
private val LEASE = 2.seconds

/** Whether the checker would notice: with each bug the same scenes are played, and their history is checked. */
class SeededBugsTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    suspend fun Semaphore.use(rounds: Int) =
        coroutineScope {
            repeat(6) {
                launch(Dispatchers.Default) { repeat(rounds) { tryAcquire(timeout = 50.milliseconds)?.release() } }
            }
        }

    /** Two clients contend for two permits; another one dies with a permit and a place in the queue. */
    suspend fun Stage.history(scripts: Scripts): List<AuditEvent> {
        val clients = List(2) { client(lease = LEASE, scripts = scripts) }
        val dying = client(proxied, lease = LEASE, scripts = scripts).semaphore("seeded", 2)
        withTimeoutOrNull(40.seconds) {
            repeat(2) { dying.acquire() }
            val place = launch { dying.acquire() }
            eventually(30.seconds) {
                redis.audit("seeded").count { it.what == "granted" || it.what == "queued" } shouldBeGreaterThanOrEqual 3
            }
            proxy.refuseConnections()
            proxy.cut()
            clients.map { launch { it.semaphore("seeded", 2).use(rounds = 60) } }.forEach { it.join() }
            // Comes after the lease of the dead, whatever became of the others.
            clients.first().semaphore("seeded", 2).run { withTimeoutOrNull(3.seconds) { acquire().release() } }
            place.cancel()
        }
        clients.forEach { it.closeAndJoin() }
        return redis.audit("seeded")
    }

    for (bug in BUGS) {
        test("found: ${bug.name}") {
            onStage {
                val check = AuditCheck("seeded", permits = 2).replay(history(bug.scripts())).finish()
                check.violations.joinToString("\n") shouldContain bug.finding
            }
        }
    }

    test("without a bug nothing is found") {
        onStage {
            val check = AuditCheck("seeded", permits = 2).replay(history(auditedScripts)).finish()
            check.violations.shouldBeEmpty()
            check.granted.isEmpty() shouldBe false
        }
    }
})
