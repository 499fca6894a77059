package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.signalbox.Signalbox
import io.signalbox.history.AuditCheck
import io.signalbox.history.audit
import io.signalbox.history.auditedScripts
import io.signalbox.history.only
import io.signalbox.testkit.ProxiedConnection
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch

/** A request that the client has repeated on another connection reaches the server at last. */
class LateRequestTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    /** Has [request] go out on a connection that holds it back, and the client go on with another connection. */
    suspend fun Stage.delayed(request: suspend () -> Unit): ProxiedConnection {
        val current = proxy.connections.last { it.isOpen }
        val sent = CompletableDeferred<Unit>()
        current.holdRequests()
        proxy.onRequest { connection, sending ->
            if (connection === current && commandsIn(sending).any { it[0].startsWith("EVAL") }) sent.complete(Unit)
        }
        val outcome = launch(Dispatchers.Default) { request() }
        sent.await()
        current.cutClient()
        outcome.join()
        return current
    }

    test("exchanges that arrive again, within their session, change nothing") {
        onStage {
            load(auditedScripts)
            val semaphore = client(proxied, lease = 20.seconds, scripts = auditedScripts).semaphore("late", 3) { bounded = false }
            val kept = semaphore.acquire()
            val released = semaphore.acquire()
            val late =
                listOf(
                    delayed { semaphore.acquire() },
                    delayed { released.release() },
                    delayed { semaphore.addPermits(1) },
                )
            val before = redis.audit("late")
            late.reversed().forEach { it.releaseRequests() }
            eventually(30.seconds) { redis.audit("late").only("exchange").size shouldBe before.only("exchange").size + 3 }

            redis.audit("late").filter { it.what != "exchange" } shouldHaveSize before.filter { it.what != "exchange" }.size
            stored("late").held shouldBe 2
            semaphore.permits() shouldBe 4
            kept.release() shouldBe true
        }
    }

    test("an exchange that arrives after its session has ended changes nothing") {
        onStage {
            load(auditedScripts)
            val client = client(proxied, scripts = auditedScripts)
            val semaphore = client.semaphore("late", 1)
            val late = delayed { semaphore.acquire() }
            client.closeAndJoin()
            stored("late").held shouldBe 0
            val before = redis.audit("late").only("exchange").size
            late.releaseRequests()
            eventually(30.seconds) { redis.audit("late").only("exchange").size shouldBe before + 1 }

            AuditCheck("late", permits = 1).replay(redis.audit("late")).finish().violations.shouldBeEmpty()
            stored("late").held shouldBe 0
            stored("late").members("sessions").shouldBeEmpty()
        }
    }

    test("an opening that arrives after its session has ended begins a session that holds nothing and blocks nobody") {
        onStage {
            load(auditedScripts)
            client().semaphore("late", 1)
            val client: Signalbox = client(proxied, scripts = auditedScripts)
            client.semaphore("other", 1)
            val late = delayed { client.semaphore("late", 1).acquire() }
            client.closeAndJoin()
            stored("late").held shouldBe 0
            late.releaseRequests()
            eventually(30.seconds) { redis.audit("late").only("open") shouldHaveSize 2 }

            stored("late").held shouldBe 0
            stored("late").queued shouldBe 0
            client().semaphore("late", 1).tryAcquire()?.release() shouldBe true
        }
    }
})
