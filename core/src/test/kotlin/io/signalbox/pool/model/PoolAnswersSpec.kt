package io.signalbox.pool.model

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeInstanceOf
import io.signalbox.InitStrategy
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.pool.PoolPermit
import io.signalbox.internal.pool.PoolRules
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

/** An imitation of a server that answers something else, in the middle of everything. */
class PoolAnswersSpec : FunSpec({
    test("an answer that is not understood ends the calls that waited for it with an error, and the next are served") {
        val world = Simulation(seed = 1)
        val network = ModelNetwork(world, ModelRedis(world))
        val client = ModelClient(world, network, leaseMillis = 1_000, InitStrategy.SETNX, PoolRules())
        val outcomes = ArrayList<Result<Any?>>()
        client.users.launch {
            client.join(permits = 1)
            val held = client.coordinator.acquire(1, waits = true)!!
            // Until all has been said that follows from the grant.
            delay(100.milliseconds)
            network.garbled = 1
            outcomes += runCatching { held.release() }
            delay(100.milliseconds)
            network.garbled = 1
            outcomes += runCatching { client.coordinator.acquire(1, waits = true) }
            outcomes += runCatching { client.coordinator.acquire(1, waits = true) }
            outcomes += runCatching { (outcomes.last().getOrThrow() as PoolPermit).release() }
        }
        world.run(limit = 100 * SECOND) { outcomes.size == 4 } shouldBe true
        for (outcome in outcomes.take(2)) {
            outcome.exceptionOrNull().shouldBeInstanceOf<StoreUnavailableException>().message shouldContain "not understood"
        }
        outcomes.last().getOrThrow() shouldBe true
    }
})
