package io.signalbox.fault

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.signalbox.Signalbox
import io.signalbox.use
import io.signalbox.withLock
import io.signalbox.withPermit
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeMark
import kotlin.time.TimeSource

/** The end of a block waits for nobody: not for a server that hangs, nor for one that is away. */
class BlockEndTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    val outages =
        listOf<Triple<String, Stage.() -> Unit, Stage.() -> Unit>>(
            Triple("frozen", { redis.freeze() }, { redis.thaw() }),
            Triple("away", { redis.kill() }, { redis.restart() }),
        )
    val blocks =
        mapOf<String, suspend Signalbox.(during: () -> Unit) -> Int>(
            "withPermit" to { during ->
                semaphore("s", permits = 1).withPermit {
                    during()
                    42
                }
            },
            "withLock" to { during ->
                mutex("m").withLock {
                    during()
                    42
                }
            },
            "use" to { during ->
                semaphore("s", permits = 1).acquire().use {
                    during()
                    42
                }
            },
        )
    for ((kind, begins, ends) in outages) {
        for ((name, block) in blocks) {
            test("$name whose server is $kind at its end has its result at once, and the permit is free when the server is back") {
                onStage({ appendOnly() }) {
                    val client = client(lease = 60.seconds)
                    lateinit var begun: TimeMark
                    client.block {
                        begins()
                        begun = TimeSource.Monotonic.markNow()
                    } shouldBe 42
                    begun.elapsedNow() shouldBeLessThan 1.seconds
                    ends()
                    // Long before the lease is over.
                    val other = client(lease = 60.seconds)
                    if (name == "withLock") {
                        other.mutex("m").lock(timeout = 20.seconds).release() shouldBe true
                    } else {
                        other.semaphore("s", permits = 1).acquire(timeout = 20.seconds).release() shouldBe true
                    }
                }
            }
        }
    }
})
