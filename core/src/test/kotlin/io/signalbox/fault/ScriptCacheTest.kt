package io.signalbox.fault

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.maps.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.signalbox.history.AuditCheck
import io.signalbox.history.audit
import io.signalbox.history.auditedScripts
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield

class ScriptCacheTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("a server that knows no script is given them") {
        onStage {
            redis.command("SCRIPT", "FLUSH")
            val semaphore = client().semaphore("flushed", 1)
            redis.command("SCRIPT", "FLUSH")
            val permit = semaphore.acquire()
            redis.command("SCRIPT", "FLUSH")
            semaphore.snapshot().heldPermits shouldBe 1
            redis.command("SCRIPT", "FLUSH")
            permit.release() shouldBe true
        }
    }

    test("scripts flushed again and again under load cost no acquire and double none") {
        onStage {
            load(auditedScripts)
            val clients = List(2) { client(scripts = auditedScripts, lease = 10.seconds) }
            val flushes = AtomicInteger()
            val flusher =
                launch(Dispatchers.IO) {
                    while (isActive) {
                        redis.command("SCRIPT", "FLUSH")
                        flushes.incrementAndGet()
                        yield()
                    }
                }
            var loads = 0
            do {
                val load = clients.map { client ->
                    launch { client.semaphore("flushed", 3).contend(workers = 20, rounds = 30, permits = 3) }
                }
                load.forEach { it.join() }
                loads++
            } while (flushes.get() <= 20)
            flusher.cancel()
            flusher.join()
            clients.forEach { it.closeAndJoin() }

            val check = AuditCheck("flushed", permits = 3).replay(redis.audit("flushed")).finish()
            check.violations.shouldBeEmpty()
            check.granted shouldHaveSize loads * 2 * 20 * 30
        }
    }
})
