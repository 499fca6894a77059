package io.signalbox.pool

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeUnique
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.InitStrategy
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.fault.Stage
import io.signalbox.fault.onStage
import io.signalbox.testkit.ChildJvm
import java.time.Duration
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

private const val PERMITS = 4
private const val LEASE = 700

/** Many JVMs start at the same time. */
private val LIMIT = Duration.ofSeconds(100)

/** Pools that several processes create, use, and die with. */
class PoolProcessesTest : FunSpec({
    timeout = 240.seconds.inWholeMilliseconds

    fun Stage.start(
        strategy: InitStrategy,
        workers: Int,
        uri: String = redis.uri,
        permits: Int = PERMITS,
        onLine: (String) -> Unit = {},
    ) = ChildJvm.start(
        "io.signalbox.pool.PoolProcessKt",
        listOf(uri, strategy.name, "$permits", "$workers", "$LEASE"),
        listOf("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
        onLine = onLine,
    )

    test("clients that are killed while they hold, wait, pop and claim: never too many holders, and every permit comes back") {
        onStage {
            val lines = ConcurrentLinkedQueue<String>()
            val children = InitStrategy.entries.map { start(it, workers = 6, onLine = lines::add) }.toMutableList()
            try {
                withContext(Dispatchers.IO) {
                    children.forEach { it.awaitLine("joined", LIMIT) }
                    repeat(6) { blow ->
                        val victim = children.removeAt(blow % children.size)
                        // Whatever it is doing then; after it has done something.
                        victim.awaitLine("began", LIMIT)
                        if (blow % 2 == 0) victim.freeze()
                        if (blow % 2 == 0) children.first().awaitLine("began", LIMIT)
                        victim.kill()
                        children += start(InitStrategy.entries[blow % 3], workers = 6, onLine = lines::add)
                        children.last().awaitLine("began", LIMIT)
                    }
                    eventually(60.seconds) { lines.count { it.startsWith("began") } shouldBeGreaterThan 50 }
                    children.forEach { it.send("enough") }
                    children.forEach { it.awaitLine("bye", LIMIT) }
                }
            } finally {
                children.forEach(ChildJvm::close)
            }
            mostHolders(lines) shouldBeLessThanOrEqual PERMITS
            lines.filter { it.startsWith("began") }.map { it.split(' ')[1] }.shouldBeUnique()
            val last = client().attach("crowd") { algorithm = SemaphoreAlgorithm.Pool() }
            last.acquire(permits = PERMITS, timeout = 30.seconds).release() shouldBe true
            StoredPool(redis, "crowd").awaitWhole(PERMITS)
        }
    }

    test("processes that create it at the same time, with all strategies, make one pool") {
        onStage {
            val children = List(6) { start(InitStrategy.entries[it % 3], workers = 0) }
            try {
                withContext(Dispatchers.IO) { children.forEach { it.awaitLine("bye", LIMIT) } }
            } finally {
                children.forEach(ChildJvm::close)
            }
            StoredPool(redis, "crowd").awaitWhole(PERMITS)
        }
    }

    for ((strategy, word) in listOf(InitStrategy.LUA to "EVAL", InitStrategy.OPTIMISTIC_LOCKING to "EXEC", InitStrategy.SETNX to "ZADD")) {
        for (late in listOf(false, true)) {
            val outcome = if (late) "its request arrives when others have created it" else "its request is lost"
            test("a creator by $strategy is killed half-way, and $outcome: the pool is exact") {
                onStage {
                    // The whole transaction comes in one piece, and is held as one.
                    proxy.onRequest { connection, request ->
                        if (word in request &&
                            (word == "EVAL" || "HSETNX" in request)
                        ) {
                            connection.holdRequests()
                        }
                    }
                    val creator = start(strategy, workers = 0, uri = proxied, permits = PERMITS)
                    try {
                        withContext(Dispatchers.IO) {
                            proxy.awaitHeldRequest(word, LIMIT)
                            creator.kill()
                        }
                        if (!late) proxy.cut()
                        val other = client().semaphore("crowd", PERMITS) { algorithm = SemaphoreAlgorithm.Pool(strategy) }
                        other.acquire(permits = 2).release() shouldBe true
                        if (late) proxy.connections.forEach { it.releaseRequests() }
                        val token = other.acquire().also { it.release() }.fencingToken
                        eventually(30.seconds) { (other.acquire().also { it.release() }.fencingToken > token) shouldBe true }
                        other.acquire(permits = PERMITS, timeout = 30.seconds).release() shouldBe true
                        other.permits() shouldBe PERMITS
                        StoredPool(redis, "crowd").awaitWhole(PERMITS)
                    } finally {
                        creator.close()
                    }
                }
            }
        }
    }
})

/** The largest number of permits that were certainly held at one moment. */
private fun mostHolders(lines: Collection<String>): Int {
    val words = lines.map { it.split(' ') }.filter { it.size == 4 }
    val ended = words.filter { it[0] == "ended" }.associateBy { it[1] }
    // A hold whose end is unknown counts for its first moment.
    val events = words.filter { it[0] == "began" }.flatMap { began ->
        val end = ended[began[1]] ?: began
        listOf(Triple(began[3].toLong(), 0, began[2].toInt()), Triple(end[3].toLong(), 1, -began[2].toInt()))
    }
    var now = 0
    return events.sortedWith(compareBy({ it.first }, { it.second })).maxOf { (_, _, change) ->
        now += change
        now
    }
}
