package io.signalbox.behaviour

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.signalbox.SignalboxSettings
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** How long a semaphore outlives its clients. */
fun SemaphoreBehaviour.retention() {
    behaviour("a semaphore outlives its last client", Ability.FORGETTING) {
        val client = client()
        client.semaphore("api", permits = 2).resize(3)
        client.closeAndJoin()
        client().attach("api", timeout = Duration.ZERO).permits() shouldBe 3
    }

    behaviour("a semaphore is forgotten one retention after its last client, and made anew with larger tokens", Ability.FORGETTING) {
        val first = client { brief() }
        val semaphore = first.semaphore("api", permits = 2)
        val token = semaphore.acquire().fencingToken
        semaphore.resize(3)
        first.closeAndJoin()
        awaitForgotten("api")
        val anew = client().semaphore("api", permits = 7)
        anew.permits() shouldBe 7
        anew.acquire().fencingToken shouldBeGreaterThan token
    }

    behaviour("a semaphore is kept as long as a client has a handle, used or not", Ability.FORGETTING) {
        val idle = client { longer() }.semaphore("api", permits = 2)
        idle.resize(3)
        otherSemaphoreIsForgotten("other")
        client().attach("api", timeout = Duration.ZERO).permits() shouldBe 3
        idle.permits() shouldBe 3
        idle.acquire().holdersAtGrant shouldBe 1
    }
}

private fun SignalboxSettings.brief() {
    lease = 300.milliseconds
    retention = 1.seconds
}

/** Renewed every 1.3 seconds: a pause of this process that is shorter than twice as much fails nothing. */
private fun SignalboxSettings.longer() {
    lease = 1.seconds
    retention = 4.seconds
}

/** Time passes: at least one retention. */
private suspend fun Clients.otherSemaphoreIsForgotten(name: String) {
    val client = client { longer() }
    client.semaphore(name, permits = 1)
    client.closeAndJoin()
    awaitForgotten(name)
}

private suspend fun Clients.awaitForgotten(name: String) {
    eventually(PATIENCE) { store.knows(name) shouldBe false }
}
