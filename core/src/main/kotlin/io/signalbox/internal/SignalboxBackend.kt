package io.signalbox.internal

import io.signalbox.InMemoryStore
import io.signalbox.InternalSignalboxApi
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.NanoClock
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.redis.RedisLine
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineScope

/**
 * What everything of one client is built on, in this module and in others.
 *
 * @property scope where heartbeats and the like run; no user code does. Cancelled at the end of the goodbye.
 */
@InternalSignalboxApi
public class SignalboxBackend internal constructor(
    public val store: Store,
    public val namespace: String,
    public val client: ClientIdentity,
    public val settings: CoordinationSettings,
    public val clock: NanoClock,
    public val scope: CoroutineScope,
    internal val release: suspend () -> Unit,
) {
    /** Where the data are. */
    public sealed interface Store {
        /** @property announceInScript see [io.signalbox.SignalboxSettings.announceInScript]. */
        public class Redis internal constructor(
            public val line: RedisLine,
            public val announceInScript: Boolean,
        ) : Store

        public class Memory internal constructor(
            public val store: InMemoryStore,
        ) : Store
    }
}

/** A client that lets other modules build on its backend. */
@InternalSignalboxApi
public interface BackendOwner {
    public val backend: SignalboxBackend

    /**
     * Has [part] closed with the client: [ClosesWithClient.close] as soon as the client is closed, and its goodbye awaited, within
     * the store timeout and its own [ClosesWithClient.patience], before the connections go.
     *
     * @throws io.signalbox.SignalboxClosedException if the client was closed before.
     */
    public fun closeWithClient(part: ClosesWithClient)

    /**
     * Runs [request], which only asks the store.
     *
     * @throws io.signalbox.SignalboxClosedException if the client is closed meanwhile.
     */
    public suspend fun <T> untilClosed(request: suspend () -> T): T
}

@InternalSignalboxApi
public interface ClosesWithClient {
    /** Starts to end it. Does not suspend; idempotent. */
    public fun close()

    /** How much longer than the store timeout its goodbye may take, because it waits for the user's code. */
    public val patience: Duration get() = Duration.ZERO

    public suspend fun awaitFarewell()
}
