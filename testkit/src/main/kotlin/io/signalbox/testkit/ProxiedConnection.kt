package io.signalbox.testkit

import java.io.IOException
import java.net.Socket

/**
 * One client's connection through a [FaultProxy].
 *
 * Its switches concern this connection only.
 */
public class ProxiedConnection internal constructor(
    /** How many connections the proxy had accepted before this one. */
    public val index: Int,
    private val proxy: FaultProxy,
    private val client: Socket,
    private val server: Socket,
) : LinkFaults(proxy.monitor) {
    private enum class NextReply { DELIVER, DROP, LOSE }

    private var nextReply = NextReply.DELIVER
    internal var hasDroppedReply = false
        private set

    // A socket says that it is closed only when its client may have noticed long ago.
    @Volatile
    private var isClientCut = false

    /** Whether the client is still connected, as far as the proxy knows. */
    public val isOpen: Boolean get() = !isClientCut && !client.isClosed

    private val requests = object : Lane(monitor, "fault-proxy-${proxy.port}-$index-requests", client, server) {
        override val isGateOpen get() = !(holdsRequests || proxy.holdsRequests || isStalled || proxy.isStalled)
        override val delayNanos get() = maxOf(this@ProxiedConnection.delayNanos, proxy.delayNanos)

        override fun accept(bytes: ByteArray): Boolean {
            proxy.announceRequest(this@ProxiedConnection, bytes.text())
            return true
        }

        // The client may still want its replies, and the server is not to be reset while it reads the last request.
        override fun onEnd() = quietly { server.shutdownOutput() }
    }

    private val replies = object : Lane(monitor, "fault-proxy-${proxy.port}-$index-replies", server, client) {
        override val isGateOpen get() = !(isStalled || proxy.isStalled)
        override val delayNanos get() = maxOf(this@ProxiedConnection.delayNanos, proxy.delayNanos)

        override fun accept(bytes: ByteArray): Boolean {
            val wanted = proxy.wantsReply(this@ProxiedConnection, bytes.text())
            val fate = monitor.look { nextReply.also { nextReply = NextReply.DELIVER } }
            if (fate == NextReply.LOSE) cutClient()
            val delivered = monitor.look { wanted && fate == NextReply.DELIVER && !dropsReplies && !proxy.dropsReplies }
            if (!delivered) monitor.change { hasDroppedReply = true }
            return delivered
        }

        override fun onEnd() {
            isClientCut = true
            quietly { client.close() }
            quietly { server.close() }
        }
    }

    internal fun start() {
        requests.start()
        replies.start()
    }

    /** Whether a request with [text] in it is being held. Called under the monitor. */
    internal fun holdsRequest(text: String) = requests.holds(text)

    /** Swallows the next bytes that the server sends, usually one reply. See [dropReplies] for what the client makes of it. */
    public fun dropNextReply(): Unit = monitor.change { nextReply = NextReply.DROP }

    /**
     * Swallows the next bytes that the server sends and resets the client's connection instead: the request has been
     * executed, and the client cannot know.
     */
    public fun loseNextReply(): Unit = monitor.change { nextReply = NextReply.LOSE }

    override fun cut() {
        requests.discard()
        replies.discard()
        resetClient()
        quietly { server.reset() }
    }

    override fun cutClient() {
        replies.discard()
        resetClient()
    }

    private fun resetClient() {
        isClientCut = true
        quietly { client.reset() }
    }
}

/** Closes the socket with a TCP RST. */
internal fun Socket.reset() {
    setSoLinger(true, 0)
    close()
}

private inline fun quietly(action: () -> Unit) {
    try {
        action()
    } catch (_: IOException) {
        // It was closed already.
    }
}
