package io.signalbox.behaviour

import io.kotest.matchers.shouldBe
import io.signalbox.Permit
import io.signalbox.Signalbox
import java.util.concurrent.atomic.AtomicInteger
import kotlin.coroutines.resume
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.suspendCancellableCoroutine

/** `Permit.onLost`. */
fun SemaphoreBehaviour.hearingOfLoss() {
    behaviour("onLost is called once, when the permit is lost") {
        val calls = AtomicInteger()
        val permit = client().brief().acquire()
        permit.onLost { calls.incrementAndGet() }
        permit.awaitLoss()
        permit.release() shouldBe false
        permit.awaitLoss()
        calls.get() shouldBe 1
    }

    behaviour("onLost is called at once if the permit is lost already") {
        val permit = client().brief().acquire()
        permit.awaitLoss()
        var called = false
        permit.onLost { called = true }
        called shouldBe true
    }

    behaviour("onLost is never called for a permit that was released before") {
        val client = client()
        val semaphore = client.brief()
        val calls = AtomicInteger()
        val permit = semaphore.acquire()
        permit.onLost { calls.incrementAndGet() }
        permit.release()
        permit.onLost { calls.incrementAndGet() }
        // The next permit ends later than this one would have.
        semaphore.acquire().awaitLoss()
        client.closeAndJoin()
        calls.get() shouldBe 0
    }

    behaviour("a registration that was taken back is not called, and others are") {
        val permit = client().brief().acquire()
        val calls = AtomicInteger()
        val action: () -> Unit = { calls.incrementAndGet() }
        val first = permit.onLost(action)
        permit.onLost(action)
        permit.onLost(action)
        first.dispose()
        first.dispose()
        permit.awaitLoss()
        calls.get() shouldBe 2
    }

    behaviour("an action that throws keeps nobody else from hearing of the loss, and harms no other permit") {
        val client = client()
        val semaphore = client.brief()
        val calls = AtomicInteger()
        val permit = semaphore.acquire()
        permit.onLost { error("a broken action") }
        permit.onLost { calls.incrementAndGet() }
        permit.awaitLoss()
        calls.get() shouldBe 1
        semaphore.acquire().awaitLoss()
        semaphore.acquire().release() shouldBe true
    }

    behaviour("closing the client is a loss") {
        val client = client()
        val permit = client.semaphore("unlimited", permits = 1).acquire()
        val calls = AtomicInteger()
        permit.onLost { calls.incrementAndGet() }
        client.close()
        permit.awaitLoss()
        permit.isLost shouldBe true
        calls.get() shouldBe 1
        permit.release() shouldBe false
    }

    behaviour("a permit that is kept is not lost") {
        val semaphore = client { lease = 200.milliseconds }.semaphore("api", permits = 2) { maxHold = 10.minutes }
        val kept = semaphore.acquire()
        val calls = AtomicInteger()
        kept.onLost { calls.incrementAndGet() }
        // Longer than a lease.
        repeat(3) { client().brief("other$it", hold = 200.milliseconds).acquire().awaitLoss() }
        kept.isLost shouldBe false
        calls.get() shouldBe 0
        kept.release() shouldBe true
    }
}

/** A semaphore whose permits are soon lost. */
private suspend fun Signalbox.brief(name: String = "api", hold: kotlin.time.Duration = 60.milliseconds) =
    semaphore(name, permits = 1) { maxHold = hold }

/** Suspends until the permit is lost. */
suspend fun Permit.awaitLoss() {
    suspendCancellableCoroutine { continuation -> onLost { continuation.resume(Unit) } }
}
