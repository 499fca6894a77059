package io.signalbox.internal

import io.signalbox.InternalSignalboxApi
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/**
 * The time in which a client waits: its own, whoever calls. A caller under `runTest`, whose delays take no time, would else give up on a real
 * server before that can answer; and one in real time would wait by the wall for a client in virtual time.
 *
 * A call stays where it is as long as both live in real time, so this costs nothing but under test.
 */
@InternalSignalboxApi
public class ClientTime internal constructor(
    private val own: ContinuationInterceptor,
) {
    internal val isVirtual: Boolean = isVirtual(own)

    /** Runs [block] where delays and time limits take this client's time. */
    public suspend fun <T> run(block: suspend () -> T): T {
        val caller = currentCoroutineContext()[ContinuationInterceptor]
        val fits = caller === own || (!isVirtual && !isVirtual(caller))
        return if (fits) block() else withContext(own) { block() }
    }

    /** Returns `null` if [block] does not end within [timeout] of this client's time. What it made by then is the caller's to keep. */
    public suspend fun <T> limited(
        timeout: Duration,
        block: suspend () -> T,
    ): T? = run { withTimeoutOrNull(timeout) { block() } }

    /**
     * [limited] for what [request] is granted: what arrives together with the time-out, or with a cancellation, must not get lost on the way
     * out, and is given to [giveBack] if the caller does not get it.
     */
    public suspend fun <P : Any> granted(
        timeout: Duration,
        giveBack: (P) -> Unit,
        request: suspend () -> P?,
    ): P? {
        var granted: P? = null
        var handedOut = false
        try {
            limited(timeout) { granted = request() }
            handedOut = true
        } finally {
            if (!handedOut) granted?.let(giveBack)
        }
        return granted
    }

    internal companion object {
        /** Of whatever [context] dispatches on. */
        fun of(context: CoroutineContext): ClientTime = context[ContinuationInterceptor]?.let(::ClientTime) ?: REAL

        private const val VIRTUAL = "kotlinx.coroutines.test.TestDispatcher"

        /** By its name, because this library does not depend on kotlinx-coroutines-test. */
        private val virtual =
            object : ClassValue<Boolean>() {
                override fun computeValue(type: Class<*>): Boolean =
                    VirtualTime::class.java.isAssignableFrom(type) || generateSequence(type) { it.superclass }.any { it.name == VIRTUAL }
            }

        val REAL = ClientTime(Dispatchers.Default)

        private fun isVirtual(interceptor: ContinuationInterceptor?) = interceptor != null && virtual.get(interceptor.javaClass)
    }
}
