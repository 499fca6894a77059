package io.signalbox.closing

import ch.qos.logback.classic.Level
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.behaviour.freshNamespace
import io.signalbox.logging.logged
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking

/** Clients that come and go, with everything in flight; prints what was logged, and which threads there are. */
fun main(arguments: Array<String>) {
    val uri = arguments.single()
    runBlocking(Dispatchers.Default) {
        val lines =
            logged(Level.WARN) {
                repeat(30) { comeAndGo(uri, queues = it % 2 == 0) }
                // What the driver says of its threads comes a moment after they were told to end.
                eventually(30.seconds) { threads("lettuce").shouldBeEmpty() }
            }
        println("logged: $lines")
        val clients = List(100) { Signalbox.connect(uri) { namespace = freshNamespace() } }
        clients.map { async { it.mutex("m").lock() } }.awaitAll()
        println("shared: ${threads("lettuce").size <= 4 * Runtime.getRuntime().availableProcessors() + 4}")
        clients.map { async { it.closeAndJoin() } }.awaitAll()
        eventually(30.seconds) { (threads("lettuce") + threads("signalbox")).shouldBeEmpty() }
        println("left: []")
    }
}

private suspend fun comeAndGo(
    uri: String,
    queues: Boolean,
) = coroutineScope {
    val client = Signalbox.connect(uri) { namespace = freshNamespace() }
    val semaphore = client.semaphore("api", permits = 1)
    semaphore.acquire()
    val pool = client.semaphore("pool", permits = 1) { algorithm = SemaphoreAlgorithm.Pool() }
    pool.acquire()
    val waiting = List(3) { async { runCatching { if (it == 0) pool.acquire() else semaphore.acquire() } } }
    if (queues) eventually(30.seconds) { semaphore.snapshot().queueLength shouldBe 2 }
    client.closeAndJoin()
    waiting.awaitAll()
}

private fun threads(prefix: String): List<String> = Thread.getAllStackTraces().keys.map { it.name }.filter { it.startsWith(prefix) }
