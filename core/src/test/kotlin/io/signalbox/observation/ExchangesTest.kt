package io.signalbox.observation

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeInRange
import io.kotest.matchers.shouldBe
import io.signalbox.Exchanged
import io.signalbox.Observation
import io.signalbox.Signalbox
import io.signalbox.SignalboxListener
import io.signalbox.testkit.RedisServer
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope

/** Hearing of what travels to the store. */
class ExchangesTest :
    FunSpec({
        suspend fun travelled(signalbox: Signalbox): List<Exchanged> {
            val heard = ConcurrentLinkedQueue<Exchanged>()
            val all = CompletableDeferred<Unit>()
            signalbox.addListener(
                object : SignalboxListener {
                    override fun onExchanged(exchanged: Exchanged) {
                        heard += exchanged
                        if (heard.sumOf { it.operations } >= 400) all.complete(Unit)
                    }
                },
            )
            val semaphore = signalbox.semaphore("exchanges", permits = 200)
            coroutineScope { List(200) { async { semaphore.acquire() } }.awaitAll().map { async { it.release() } }.awaitAll() }
            all.await()
            signalbox.closeAndJoin()
            return heard.toList()
        }

        mapOf(
            "on Redis" to {
                Signalbox.connect(RedisServer.shared().uri)
            },
            "in memory" to { Signalbox.inMemory() },
        ).forEach { (where, client) ->
            test("each acquire and each release travels once, many of them together, $where") {
                val heard = travelled(client())
                heard.sumOf { it.operations } shouldBe 400
                heard.count { it.operations > 0 } shouldBeInRange 2..400
                heard.map { it.kind to it.name }.distinct() shouldBe listOf(Observation.Kind.SEMAPHORE to "exchanges")
                heard.all { it.took >= Duration.ZERO } shouldBe true
            }
        }
    })
