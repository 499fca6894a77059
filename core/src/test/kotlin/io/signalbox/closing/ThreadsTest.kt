package io.signalbox.closing

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.signalbox.InternalSignalboxApi
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.behaviour.freshNamespace
import io.signalbox.internal.BackendOwner
import io.signalbox.testkit.RedisServer
import java.net.URLClassLoader
import java.util.concurrent.ScheduledThreadPoolExecutor
import kotlin.coroutines.ContinuationInterceptor
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExecutorCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.withContext

/** The thread of a client. */
@OptIn(InternalSignalboxApi::class)
class ThreadsTest : FunSpec({
    suspend fun <T> withClient(use: suspend (Signalbox) -> T): T {
        val client = Signalbox.connect(RedisServer.shared().uri) { namespace = freshNamespace() }
        return try {
            use(client)
        } finally {
            client.closeAndJoin()
        }
    }

    for ((kind, algorithm) in listOf("a semaphore" to SemaphoreAlgorithm.Queue, "a pool" to SemaphoreAlgorithm.Pool())) {
        test("a max hold of $kind that is over before its time leaves nothing in the scheduler") {
            withClient { client ->
                val semaphore = client.semaphore("api", permits = 500) {
                    maxHold = 1.hours
                    this.algorithm = algorithm
                }
                withContext(Dispatchers.Default) { List(2000) { async { semaphore.acquire().release() } }.awaitAll() }
                val dispatcher = (client as BackendOwner).backend.scope.coroutineContext[ContinuationInterceptor]
                val executor = (dispatcher as ExecutorCoroutineDispatcher).executor as ScheduledThreadPoolExecutor
                eventually(30.seconds) { executor.queue.size shouldBeLessThan 20 }
            }
        }
    }

    test("the thread of a client has nothing of whoever made it: neither thread locals nor a class loader") {
        val inherited = InheritableThreadLocal<String>()
        inherited.set("of the first user")
        val before = Thread.currentThread().contextClassLoader
        val someones = URLClassLoader(emptyArray(), before)
        Thread.currentThread().contextClassLoader = someones
        try {
            withClient { client ->
                val permit = client.semaphore("api", permits = 1) { maxHold = 200.milliseconds }.acquire()
                val seen = CompletableDeferred<Pair<String?, ClassLoader?>>()
                permit.onLost { seen.complete(Pair(inherited.get(), Thread.currentThread().contextClassLoader)) }
                seen.await() shouldBe Pair(null, Signalbox::class.java.classLoader)
            }
        } finally {
            Thread.currentThread().contextClassLoader = before
            inherited.remove()
        }
    }
})
