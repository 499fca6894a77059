package io.signalbox.pool.model

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.doubles.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.signalbox.InitStrategy
import io.signalbox.internal.pool.PoolRules
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

private const val MINUTES = 600

/** What a pool costs that nobody holds anything of, or waits for. */
class PoolIdleSpec : FunSpec({
    for (permits in listOf(1, 1000)) {
        test(
            "an idle handle of $permits permits says less than seven commands a minute, four for its list of a hundred names, and keeps the pool for ever",
        ) {
            val world = Simulation(seed = 1)
            val network = ModelNetwork(world, ModelRedis(world))
            val client = ModelClient(world, network, leaseMillis = 30_000, InitStrategy.SETNX, PoolRules(), retentionMillis = 300_000)
            var isOver = false
            client.users.launch {
                client.join(permits)
                repeat(10) { client.coordinator.acquire(1, waits = true)!!.release() }
                // Until the last look after it was used.
                delay(10 * 60_000L)
                network.redis.executed.clear()
                delay(MINUTES * 60_000L)
                val executed = network.redis.executed.toMap()
                withClue(executed) { executed.values.sum().toDouble() / MINUTES shouldBeLessThan 7.0 }
                client.coordinator.permits() shouldBe permits
                isOver = true
            }
            world.run(limit = Long.MAX_VALUE) { isOver } shouldBe true
        }
    }
})
