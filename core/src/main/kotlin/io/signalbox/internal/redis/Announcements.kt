package io.signalbox.internal.redis

import io.signalbox.InternalSignalboxApi
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.CoroutineScope

/**
 * What others have to say to this client: lines `<recipient> <text>` pushed to its [inbox], handed to who is registered as
 * recipient. Hints: they can be lost, doubled and late.
 */
@InternalSignalboxApi
public class Announcements internal constructor(
    connections: RedisConnections,
    address: (epoch: Long) -> String,
    scope: CoroutineScope,
) {
    /** Called on the driver's thread; must not block. */
    public interface Recipient {
        public fun onLine(text: String)

        /** The inbox has another address from now on, and lines sent to the old one may have been lost. */
        public fun onInboxChanged()
    }

    /** Called when the blocking connection is there again after a loss. */
    @Volatile
    internal var onReconnected: () -> Unit = {}

    private val recipients = ConcurrentHashMap<String, Recipient>()
    private val collector =
        Inbox(
            connections,
            address,
            scope,
            onLines = { lines -> lines.forEach { deliver(String(it)) } },
            onMoved = {
                recipients.values.forEach { it.onInboxChanged() }
                onReconnected()
            },
        )

    /** The key of the list that this client collects from at present. */
    public val inbox: String get() = collector.key

    /** Starts to collect, at the first call: opens the client's one blocking connection. */
    public fun open(): Unit = collector.open()

    /** [name] must not contain a blank. */
    public fun register(
        name: String,
        recipient: Recipient,
    ) {
        recipients[name] = recipient
    }

    public fun forget(name: String) {
        recipients.remove(name)
    }

    private fun deliver(line: String) {
        val blank = line.indexOf(' ')
        if (blank > 0) recipients[line.substring(0, blank)]?.onLine(line.substring(blank + 1))
    }

    internal suspend fun close() = collector.close()
}
