package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.withContext

/** `Permit.release()`. */
fun SemaphoreBehaviour.releasing() {
    behaviour("a release says that the permit was still held, and frees it for everybody") {
        val here = semaphore(permits = 1)
        val permit = here.acquire()
        permit.release() shouldBe true
        permit.isLost shouldBe false
        semaphore(permits = 1).availablePermits() shouldBe 1
    }

    behaviour("a second release is a mistake of the caller, and frees nothing") {
        val semaphore = semaphore(permits = 2)
        val other = semaphore.acquire()
        val permit = semaphore.acquire()
        permit.release()
        shouldThrow<IllegalStateException> { permit.release() }.run {
            message shouldContain "'api'"
            message shouldContain "${permit.fencingToken}"
        }
        semaphore.availablePermits() shouldBe 1
        other.release() shouldBe true
    }

    behaviour("of many releases of one permit at the same time one succeeds") {
        val semaphore = semaphore(permits = 2)
        semaphore.acquire()
        repeat(20) {
            val permit = semaphore.acquire()
            val mistakes = AtomicInteger()
            List(8) {
                async(Dispatchers.Default) {
                    try {
                        permit.release() shouldBe true
                    } catch (_: IllegalStateException) {
                        mistakes.incrementAndGet()
                    }
                }
            }.awaitAll()
            mistakes.get() shouldBe 7
            semaphore.availablePermits() shouldBe 1
        }
    }

    behaviour("a permit belongs to no coroutine or thread: any may release it") {
        val semaphore = semaphore(permits = 1)
        val permit = start { semaphore.acquire() }.await()
        withContext(Dispatchers.IO) { permit.release() } shouldBe true
        semaphore.availablePermits() shouldBe 1
    }

    behaviour("releasing a lost permit returns false, and releasing it again is a mistake") {
        val semaphore = client().semaphore("api", permits = 1) { maxHold = 30.milliseconds }
        val permit = semaphore.acquire()
        permit.awaitLoss()
        permit.release() shouldBe false
        permit.isLost shouldBe true
        shouldThrow<IllegalStateException> { permit.release() }
        semaphore.awaitAvailable(1)
    }

    behaviour("a late release of a lost permit takes nothing away from its next holder") {
        val here = client().semaphore("api", permits = 1) { maxHold = 30.milliseconds }
        val there = semaphore(permits = 1)
        val lost = here.acquire()
        val next = there.acquire()
        lost.release() shouldBe false
        there.availablePermits() shouldBe 0
        next.release() shouldBe true
    }

    behaviour("cancelling the caller of a release does not take the release back") {
        val semaphore = semaphore(permits = 1)
        repeat(20) {
            val permit = semaphore.acquire()
            start { permit.release() }.cancel()
            semaphore.acquire().release() shouldBe true
        }
        semaphore.availablePermits() shouldBe 1
    }
}
