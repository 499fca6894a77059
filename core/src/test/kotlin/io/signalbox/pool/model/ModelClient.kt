package io.signalbox.pool.model

import io.signalbox.InitStrategy
import io.signalbox.internal.Observers
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.pool.PoolCoordinator
import io.signalbox.internal.pool.PoolCreation
import io.signalbox.internal.pool.PoolKeeper
import io.signalbox.internal.pool.PoolKeys
import io.signalbox.internal.pool.PoolLine
import io.signalbox.internal.pool.PoolPace
import io.signalbox.internal.pool.PoolRules
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel

/** A client as it is, but for its connections, its clock and its threads: the coordinator of production in a [process] of the model. */
internal class ModelClient(
    private val world: Simulation,
    network: ModelNetwork,
    val leaseMillis: Long,
    strategy: InitStrategy,
    rules: PoolRules,
    retentionMillis: Long = 60_000,
) {
    val process = Process(world)
    private val own = process.Dispatcher(0L..0L)
    private val scope = CoroutineScope(SupervisorJob() + own)

    /** Where the user's coroutines run. */
    val users = CoroutineScope(SupervisorJob() + process.Dispatcher(1_000L..100_000L))

    private val settings = CoordinationSettings("model", leaseMillis, retentionMillis, storeTimeoutMillis = 60_000)
    private val pace = PoolPace(settings, { world.now }, Random(world.random.nextLong()))
    private val line = PoolLine(scope, 500.milliseconds) { network.connect(process) }
    private val keys = PoolKeys("model", NAME)

    val coordinator =
        PoolCoordinator(
            LedgerName(Kind.POOL, NAME),
            keys,
            line,
            ClientIdentity(),
            pace,
            { world.now },
            scope,
            PoolCreation(keys, line, pace, strategy),
            Observers(),
            rules,
            collecting = own,
        )

    private val keeper = PoolKeeper(line, "model", settings, scope, Random(world.random.nextLong())) { listOf(coordinator) }

    suspend fun join(permits: Int) {
        keeper.start()
        // Somebody has one: it may rest.
        coordinator.handle = this
        check(coordinator.join(HandleSettings(permits, bounded = true, longestMillis = 0, holdMillis = -1)))
    }

    fun kill() {
        process.kill()
        scope.cancel()
        users.cancel()
        line.close()
    }

    companion object {
        const val NAME = "model"
    }
}
