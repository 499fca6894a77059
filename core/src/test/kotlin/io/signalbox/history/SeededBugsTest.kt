package io.signalbox.history

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
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
    private val right: String,
    private val wrong: String,
    val finding: String,
) {
    /** Fails if the line to spoil is in none of the scripts any more. */
    fun scripts(): Scripts {
        var found = 0
        val scripts =
            Scripts { script ->
                if (right in script) found++
                audited(script.replace(right, wrong))
            }
        check(found > 0) { "Where is '$right'?" }
        return scripts
    }
}

private val BUGS =
    listOf(
        SeededBug("newcomers do not queue", "if waiting == 0 and open then", "if open then", "passes by"),
        SeededBug(
            "the last in the queue is the first out",
            "redis.call('ZRANGE', queue, 0, math",
            "redis.call('ZREVRANGE', queue, 0, math",
            "passes by",
        ),
        SeededBug(
            "one permit too many",
            "math.floor((permits - weight_held)",
            "math.floor((permits + 1 - weight_held)",
            "3 of 2 permits held",
        ),
        SeededBug(
            "tokens by the second",
            "math.max(fence + 1, micros)",
            "math.floor(micros / 1000000) * 1000000",
            "token not larger than",
        ),
        SeededBug("nobody is granted what comes back", "if queued then", "if queued and now < 0 then", "waited"),
        SeededBug(
            "half a lease",
            "redis.call('ZRANGEBYSCORE', sessions, '-inf', text(now),",
            "redis.call('ZRANGEBYSCORE', sessions, '-inf', text(now + 250),",
            "taken after",
        ),
        SeededBug(
            "the dead keep their permits",
            "redis.call('ZREM', held, unpack(members))\n    redis.call('ZREM', limits",
            "redis.call('ZREM', limits",
            "waited",
        ),
    )

/** Whether the checker would notice: with each bug the same scenes are played, and their history is checked. */
class SeededBugsTest : FunSpec({
    timeout = 60.seconds.inWholeMilliseconds

    suspend fun Semaphore.use(rounds: Int) =
        coroutineScope {
            repeat(6) {
                launch(Dispatchers.Default) { repeat(rounds) { tryAcquire(timeout = 50.milliseconds)?.release() } }
            }
        }

    /** Two clients contend for two permits; another one dies with a permit and a place in the queue. */
    suspend fun Stage.history(scripts: Scripts): List<AuditEvent> {
        val clients = List(2) { client(lease = 500.milliseconds, scripts = scripts) }
        val dying = client(proxied, lease = 500.milliseconds, scripts = scripts).semaphore("seeded", 2)
        withTimeoutOrNull(5.seconds) {
            repeat(2) { dying.acquire() }
            val place = launch { dying.acquire() }
            stored("seeded").awaitQueued(1)
            proxy.refuseConnections()
            proxy.cut()
            clients.map { launch { it.semaphore("seeded", 2).use(rounds = 40) } }.forEach { it.join() }
            // Comes after the lease of the dead, whatever became of the others.
            clients.first().semaphore("seeded", 2).run { withTimeoutOrNull(1.seconds) { acquire().release() } }
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
