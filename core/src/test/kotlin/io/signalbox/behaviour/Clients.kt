package io.signalbox.behaviour

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.shouldBe
import io.signalbox.Semaphore
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout

/** The clients of one store for the time of one test, and a scope for what the test has them do at the same time. */
class Clients(
    val store: Store,
    scope: CoroutineScope,
) : CoroutineScope by scope {
    private val clients = mutableListOf<Signalbox>()

    /** Another client of the store, as in another process. */
    fun client(configure: SignalboxSettings.() -> Unit = {}): Signalbox = store.connect(configure).also { clients += it }

    /** A handle of semaphore [name] in a client of its own. */
    suspend fun semaphore(
        permits: Int,
        name: String = "api",
    ): Semaphore = client().semaphore(name, permits)

    /** Runs [block] here until it first suspends: one start after another is one request after another. */
    fun <T> start(block: suspend CoroutineScope.() -> T): Deferred<T> = async(start = CoroutineStart.UNDISPATCHED, block = block)

    /** Returns when [length] acquires of all clients wait: where there is one queue, a later one is behind them. */
    suspend fun Semaphore.awaitQueue(length: Int) {
        eventually(PATIENCE) { store.queueLength(this@awaitQueue) shouldBe length }
    }

    suspend fun close() {
        withContext(NonCancellable + Dispatchers.Default) { withTimeout(PATIENCE) { clients.forEach { launch { it.closeAndJoin() } } } }
    }
}

/** Runs [body] with the empty [store], and closes all of its clients. */
suspend fun withClients(
    store: Store,
    body: suspend Clients.() -> Unit,
) {
    val scope = CoroutineScope(Dispatchers.Default + SupervisorJob())
    val clients = Clients(store, scope)
    try {
        withContext(Dispatchers.Default) { withTimeout(PATIENCE) { clients.body() } }
    } finally {
        scope.cancel()
        clients.close()
    }
}

/** The same under `runTest`, as users write their tests: time that the test waits for passes at once, and the server has its own. */
fun withClientsUnderTest(
    store: Store,
    body: suspend Clients.() -> Unit,
) = runTest(timeout = PATIENCE) {
    val scope = CoroutineScope(coroutineContext + SupervisorJob())
    val clients = Clients(store, scope)
    try {
        clients.body()
    } finally {
        scope.cancel()
        clients.close()
    }
}

/** Far more than anything here takes, so that a slow machine fails nothing. */
val PATIENCE = 60.seconds
