package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.doubles.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.maps.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.history.AuditCheck
import io.signalbox.history.audit
import io.signalbox.history.audited
import io.signalbox.internal.redis.Scripts
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield

private const val CLOCK = "local time = redis.call('TIME')"
private const val STEP = "clock:step"

/** Scripts whose server's clock can be set, by the seconds in the key [STEP]; what they write down shows the real one. */
private val steppedScripts =
    Scripts { script ->
        script shouldContain CLOCK
        audited(script.replace(CLOCK, "$CLOCK\ntime[1] = tostring(time[1] + (redis.call('GET', '$STEP') or 0))"))
    }

/** The server's clock is set back, as by a failover to a machine that lags behind. */
class ServerClockTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("set back by an hour: who holds keeps it, who waits is served in order, and tokens grow") {
        onStage {
            // Renewed a long time before it ends, so that a pause of this process fails nothing.
            val lease = 9.seconds
            val semaphores = List(4) { client(lease = lease, scripts = steppedScripts).semaphore("clock", 1) }
            val holder = semaphores[0].acquire()
            val served = mutableListOf<Int>()
            val waiters =
                (1..3).map { index ->
                    val waiter =
                        async {
                            val permit = semaphores[index].acquire()
                            served += index
                            permit.also { it.release() }.fencingToken
                        }
                    stored("clock").awaitQueued(index)
                    waiter
                }
            val deadline = stored("clock").deadlines().min()

            redis.command("SET", STEP, "-3600")

            // By its own clock the semaphore lives on, and everybody in it.
            eventually(30.seconds) { stored("clock").deadlines().min() shouldBeGreaterThan deadline + lease.inWholeMilliseconds / 8 }
            holder.isLost shouldBe false
            stored("clock").queued shouldBe 3
            holder.release() shouldBe true
            var last = holder.fencingToken
            for (waiter in waiters) {
                val token = waiter.await()
                token shouldBeGreaterThan last
                last = token
            }
            served shouldContainExactly listOf(1, 2, 3)
        }
    }

    test("set back by an hour: the permit of a holder that dies is free within a lease") {
        onStage {
            val lease = 4.seconds
            client(proxied, lease = lease, scripts = steppedScripts).semaphore("clock", 1).acquire()
            val waiter = async { client(lease = lease, scripts = steppedScripts).semaphore("clock", 1).acquire() }
            stored("clock").awaitQueued(1)
            redis.command("SET", STEP, "-3600")
            proxy.refuseConnections()
            proxy.cut()
            // And not an hour later.
            withTimeout(30.seconds) { waiter.await() }.release() shouldBe true
        }
    }

    test("set back again and again under load: order, count and tokens are kept") {
        onStage {
            load(steppedScripts)
            val clients = List(3) { client(scripts = steppedScripts, lease = 10.seconds) }
            val steps = AtomicInteger()
            val stepper =
                launch(Dispatchers.IO) {
                    while (isActive) {
                        redis.command("SET", STEP, "${-steps.incrementAndGet()}")
                        yield()
                    }
                }
            var loads = 0
            do {
                val load = clients.map { launch { it.semaphore("clock", 3).contend(workers = 10, rounds = 30, permits = 3) } }
                load.forEach { it.join() }
                loads++
            } while (steps.get() <= 20)
            stepper.cancel()
            stepper.join()
            clients.forEach { it.closeAndJoin() }

            val check = AuditCheck("clock", permits = 3).replay(redis.audit("clock")).finish()
            check.violations.shouldBeEmpty()
            check.granted shouldHaveSize loads * 3 * 10 * 30
        }
    }
})
