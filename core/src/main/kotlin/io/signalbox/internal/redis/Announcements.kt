package io.signalbox.internal.redis

import io.signalbox.InternalSignalboxApi
import io.signalbox.internal.warnSafely
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.CoroutineScope
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/**
 * What others have to say to this client: lines `<recipient> <text>` pushed to its [inbox], handed to who is registered as
 * recipient. Hints: they can be lost, doubled and late.
 */
@InternalSignalboxApi
public class Announcements internal constructor(
    nodes: Nodes,
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

    /** Called when it is lost. */
    @Volatile
    internal var onDisconnected: () -> Unit = {}

    private val recipients = ConcurrentHashMap<String, Recipient>()
    private val collector =
        Inbox(
            nodes,
            address,
            scope,
            onLines = { lines -> lines.forEach { deliver(String(it)) } },
            onMoved = {
                haveAllSpeak()
                onReconnected()
            },
            onLost = { onDisconnected() },
        )

    /** After an outage: everybody names the inbox, and says what it has to say, without waiting for another attempt to be due. */
    internal fun haveAllSpeak() = recipients.values.forEach { it.onInboxChanged() }

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

    /** How many listen. */
    internal val recipientCount: Int get() = recipients.size

    /** Whatever one recipient makes of its line: the others hear theirs, and the connection that has brought them stays. */
    private fun deliver(line: String) {
        val blank = line.indexOf(' ')
        if (blank <= 0) return
        try {
            recipients[line.substring(0, blank)]?.onLine(line.substring(blank + 1))
        } catch (problem: Throwable) {
            log.warnSafely("A line in the inbox could not be taken in", problem)
        }
    }

    internal suspend fun close() = collector.close()

    private companion object {
        val log: Logger = LoggerFactory.getLogger(Announcements::class.java)
    }
}
