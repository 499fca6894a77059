package io.signalbox.behaviour

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.shouldBe
import io.signalbox.Permit
import io.signalbox.Signalbox
import java.util.concurrent.atomic.AtomicInteger
import kotlin.coroutines.resume
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.suspendCancellableCoroutine

/** `Permit.onLost`. */
fun SemaphoreBehaviour.hearingOfLoss() {
    behaviour("onLost is called once, when the permit is lost") {
        val calls = AtomicInteger()
        val permit = client().limited().acquire()
        permit.onLost { calls.incrementAndGet() }
        calls.get() shouldBe 0
        permit.loseNow()
        permit.release() shouldBe false
        permit.awaitLoss()
        eventually(PATIENCE) { calls.get() shouldBe 1 }
    }

    behaviour("onLost is called at once if the permit is lost already") {
        val permit = client().limited().acquire()
        permit.loseNow()
        var called = false
        permit.onLost { called = true }
        called shouldBe true
    }

    behaviour("onLost is never called for a permit that was released before") {
        val client = client()
        val semaphore = client.semaphore("api", permits = 1) { maxHold = 300.milliseconds }
        var calls = AtomicInteger()
        val permit = semaphore.releasedInTime {
            val callsOfThis = AtomicInteger().also { calls = it }
            it.onLost { callsOfThis.incrementAndGet() }
        }
        permit.onLost { calls.incrementAndGet() }
        // The next permit ends later than this one would have.
        semaphore.acquire().awaitLoss()
        client.closeAndJoin()
        calls.get() shouldBe 0
    }

    behaviour("a registration that was taken back is not called, and others are") {
        val permit = client().limited().acquire()
        val calls = AtomicInteger()
        val action: () -> Unit = { calls.incrementAndGet() }
        val first = permit.onLost(action)
        permit.onLost(action)
        permit.onLost(action)
        first.dispose()
        first.dispose()
        permit.loseNow()
        eventually(PATIENCE) { calls.get() shouldBe 2 }
    }

    behaviour("an action that throws keeps nobody else from hearing of the loss, and harms no other permit") {
        val semaphore = client().limited()
        val calls = AtomicInteger()
        val permit = semaphore.acquire()
        permit.onLost { error("This action is broken on purpose") }
        permit.onLost { calls.incrementAndGet() }
        permit.loseNow()
        eventually(PATIENCE) { calls.get() shouldBe 1 }
        semaphore.acquire().loseNow()
        semaphore.acquire().release() shouldBe true
    }

    behaviour("an action may use the semaphore's other members") {
        val semaphore = client().limited(permits = 2)
        val other = semaphore.acquire()
        val permit = semaphore.acquire()
        val heard = AtomicInteger()
        val acted = CompletableDeferred<Unit>()
        permit.onLost {
            if (permit.isLost && !other.isLost) other.onLost { heard.incrementAndGet() }
            acted.complete(Unit)
        }
        permit.loseNow()
        acted.await()
        other.loseNow()
        eventually(PATIENCE) { heard.get() shouldBe 1 }
    }

    behaviour("closing the client is a loss") {
        val client = client()
        val permit = client.semaphore("unlimited", permits = 1).acquire()
        val calls = AtomicInteger()
        permit.onLost { calls.incrementAndGet() }
        client.close()
        permit.awaitLoss()
        permit.isLost shouldBe true
        eventually(PATIENCE) { calls.get() shouldBe 1 }
        permit.release() shouldBe false
    }

    behaviour("a permit that is kept is not lost") {
        // Renewed after about 3 seconds: a long time before it ends, so that a pause of this process fails nothing.
        val kept = client { lease = 9.seconds }.limited().acquire()
        val calls = AtomicInteger()
        kept.onLost { calls.incrementAndGet() }
        semaphore(permits = 1).run {
            fullSnapshot()
            awaitRenewal()
        }
        kept.isLost shouldBe false
        calls.get() shouldBe 0
        kept.release() shouldBe true
    }
}

private suspend fun Signalbox.limited(permits: Int = 1) = semaphore("api", permits) { maxHold = 10.minutes }

/** Ends the hold of a permit that has a limit. */
suspend fun Permit.loseNow() {
    extend(1.milliseconds)
    awaitLoss()
}

/** Suspends until the permit is lost. */
suspend fun Permit.awaitLoss() {
    suspendCancellableCoroutine { continuation -> onLost { continuation.resume(Unit) } }
}
