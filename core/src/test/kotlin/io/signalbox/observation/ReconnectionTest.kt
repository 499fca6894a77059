package io.signalbox.observation

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.string.shouldContain
import io.signalbox.Observation
import io.signalbox.Signalbox
import io.signalbox.SignalboxListener
import io.signalbox.behaviour.PATIENCE
import io.signalbox.testkit.RedisServer
import java.util.concurrent.ConcurrentLinkedQueue
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async

/** That a client hears of its lost connections once they are there again. */
class ReconnectionTest : FunSpec({
    test("both connections are heard of when they are there again") {
        RedisServer.start().use { server ->
            val signalbox = Signalbox.connect(server.uri)
            val heard = ConcurrentLinkedQueue<Boolean>()
            signalbox.addListener(
                object : SignalboxListener {
                    override fun onReconnected(reconnected: Observation.Reconnected) {
                        heard += reconnected.blocking
                    }
                },
            )
            val semaphore = signalbox.semaphore("api", permits = 1)
            val permit = semaphore.acquire()
            // Who waits opens the blocking connection.
            val next = async(start = CoroutineStart.UNDISPATCHED) { semaphore.acquire() }
            eventually(PATIENCE) { server.command("CLIENT", "LIST") shouldContain "cmd=blpop" }
            server.command("CLIENT", "KILL", "TYPE", "normal")
            eventually(PATIENCE) {
                heard.toList() shouldContain false
                heard.toList() shouldContain true
            }
            permit.release()
            next.await().release()
            signalbox.closeAndJoin()
        }
    }
})
