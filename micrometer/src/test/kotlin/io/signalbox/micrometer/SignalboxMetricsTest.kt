package io.signalbox.micrometer

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.doubles.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.micrometer.core.instrument.MeterRegistry
import io.micrometer.core.instrument.Tags
import io.micrometer.core.instrument.simple.SimpleMeterRegistry
import io.signalbox.Signalbox
import io.signalbox.testkit.FaultProxy
import io.signalbox.testkit.RedisServer
import io.signalbox.withLock
import io.signalbox.withPermit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch

private fun MeterRegistry.names(meter: String) = find(meter).meters().map { it.id.getTag("name") }.distinct()

private fun MeterRegistry.value(
    meter: String,
    name: String,
) = find(meter).tag("name", name).gauge()!!.value()

class SignalboxMetricsTest :
    FunSpec({
        test("names are bounded: dynamic ones share a tag, and so do all that come too late") {
            val registry = SimpleMeterRegistry()
            val signalbox = Signalbox.inMemory()
            SignalboxMetrics(signalbox) { maxNames = 2 }.bindTo(registry)
            for (name in listOf("a", "b", "c", "d")) signalbox.semaphore(name, permits = 1).withPermit { }
            repeat(3) { signalbox.mutex("order-$it").withLock { } }
            registry.names("signalbox.acquire") shouldContainExactlyInAnyOrder listOf("a", "b", "other")
            registry.find("signalbox.acquire").tags("kind", "mutex", "name", "other").timers().sumOf { it.count() } shouldBe 3
            registry.find("signalbox.acquire").tags("kind", "semaphore", "name", "other").timers().sumOf { it.count() } shouldBe 2
            signalbox.closeAndJoin()
        }

        test("what is held and waited for is seen at once, and common tags are on all meters") {
            val registry = SimpleMeterRegistry()
            val signalbox = Signalbox.inMemory()
            SignalboxMetrics(signalbox) { tags = Tags.of("service", "billing") }.bindTo(registry)
            coroutineScope {
                val exports = signalbox.semaphore("exports", permits = 3)
                val held = exports.acquire(permits = 2)
                val waiting = async { exports.acquire(permits = 2) }
                until { registry.value("signalbox.waiting", "exports") == 1.0 }
                registry.value("signalbox.held", "exports") shouldBe 2.0
                held.release()
                waiting.await().release()
                until { registry.value("signalbox.held", "exports") == 0.0 && registry.value("signalbox.waiting", "exports") == 0.0 }
            }
            registry.meters.filter { it.id.getTag("service") != "billing" }.shouldBeEmpty()
            signalbox.closeAndJoin()
        }

        test("connections that are lost and replaced are counted") {
            FaultProxy(RedisServer.shared()).use { proxy ->
                val registry = SimpleMeterRegistry()
                val signalbox = Signalbox.connect("redis://127.0.0.1:${proxy.port}")
                SignalboxMetrics(signalbox) { statisticsEvery = Duration.INFINITE }.bindTo(registry)
                registry.get("signalbox.connected").gauge().value() shouldBe 0.0
                signalbox.semaphore("reconnect", permits = 1).withPermit { }
                registry.get("signalbox.connected").gauge().value() shouldBe 1.0
                proxy.cut()
                until { registry.get("signalbox.reconnects").tag("connection", "commands").counter().count() == 1.0 }
                registry.get("signalbox.disconnects").tag("connection", "commands").counter().count() shouldBe 1.0
                registry.get("signalbox.connected").gauge().value() shouldBe 1.0
                registry.get("signalbox.exchange").tag("kind", "semaphore").timer().count().toDouble() shouldBeGreaterThanOrEqual 1.0
                registry.find("signalbox.semaphore.permits").meters().shouldBeEmpty()
                signalbox.closeAndJoin()
            }
        }

        test("figures of the store vanish while it does not answer, instead of growing old") {
            FaultProxy(RedisServer.shared()).use { proxy ->
                val registry = SimpleMeterRegistry()
                val signalbox =
                    Signalbox.connect("redis://127.0.0.1:${proxy.port}") {
                        namespace = "metrics-vanish"
                        storeTimeout = 1.seconds
                    }
                signalbox.semaphore("exports", permits = 3)
                SignalboxMetrics(signalbox) { statisticsEvery = 1.seconds }.bindTo(registry)
                until { registry.find("signalbox.semaphore.permits").tag("name", "exports").gauge()?.value() == 3.0 }
                proxy.refuseConnections()
                proxy.cut()
                until { registry.find("signalbox.semaphore.permits").meters().isEmpty() }
                proxy.refuseConnections(false)
                until { registry.find("signalbox.semaphore.permits").meters().isNotEmpty() }
                signalbox.closeAndJoin()
            }
        }

        test("closed metrics are gone, and cannot be bound again") {
            val registry = SimpleMeterRegistry()
            val signalbox = Signalbox.inMemory()
            // Asked for at once, and not again for half a minute.
            signalbox.semaphore("s", permits = 1)
            val metrics = SignalboxMetrics(signalbox)
            metrics.bindTo(registry)
            signalbox.semaphore("s", permits = 1).withPermit { }
            until { registry.find("signalbox.semaphore.permits").meters().isNotEmpty() }
            metrics.close()
            metrics.close()
            registry.meters.shouldBeEmpty()
            signalbox.semaphore("s", permits = 1).withPermit { }
            registry.meters.shouldBeEmpty()
            shouldThrow<IllegalStateException> { metrics.bindTo(registry) }.message shouldContain "closed"
            signalbox.closeAndJoin()
        }

        test("what is told and asked for while they are closed leaves no meter") {
            val signalbox = Signalbox.inMemory()
            repeat(300) { round ->
                val registry = SimpleMeterRegistry()
                val metrics = SignalboxMetrics(signalbox)
                metrics.bindTo(registry)
                coroutineScope {
                    launch(Dispatchers.Default) { signalbox.semaphore("s-$round", permits = 1).withPermit { } }
                    launch(Dispatchers.Default) { metrics.close() }
                }
                // The end of a block is told a moment after it: whoever makes a meter of that takes it away again.
                until { registry.meters.isEmpty() }
            }
            signalbox.closeAndJoin()
        }

        test("settings out of range are named") {
            val signalbox = Signalbox.inMemory()
            shouldThrow<IllegalArgumentException> { SignalboxMetrics(signalbox) { maxNames = -1 } }.message shouldContain "maxNames"
            shouldThrow<IllegalArgumentException> { SignalboxMetrics(signalbox) { statisticsEvery = 1.milliseconds } }.message shouldContain
                "statisticsEvery"
            signalbox.closeAndJoin()
        }
    })
