package io.signalbox.testkit

import java.io.IOException
import java.net.InetSocketAddress
import java.net.Socket
import java.time.Duration
import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread

/**
 * A TCP proxy in front of a server that makes a network's faults happen when a test wants them.
 *
 * Clients connect to [host] and [port] instead of the server. Without any switch everything is passed on at once. The
 * switches of the proxy concern all connections, present and future; those of a [ProxiedConnection] only that one.
 * Listeners find the connection that runs a given command:
 *
 * ```kotlin
 * proxy.onRequest { connection, request -> if ("EVALSHA" in request) connection.loseNextReply() }
 * ```
 *
 * Listeners see bytes as they come in, as text with one character for each byte. A small request comes in one piece, a
 * large one may not, and a pipeline may bring several requests in one. Thread-safe.
 */
public class FaultProxy(upstreamHost: String, upstreamPort: Int) : LinkFaults(Monitor()), AutoCloseable {
    /** A proxy in front of [server]. */
    public constructor(server: RedisServer) : this(server.host, server.port)

    /** Is told of a client's bytes before they are passed on, by the thread that reads the connection. */
    public fun interface RequestListener {
        /** Switches thrown here act on these bytes already, and on the reply. */
        public fun onRequest(connection: ProxiedConnection, request: String)
    }

    /** Decides on a server's bytes, on the thread that reads the connection. */
    public fun interface ReplyFilter {
        /** Whether the bytes are to be passed on; false swallows them. */
        public fun deliver(connection: ProxiedConnection, reply: String): Boolean
    }

    private val listener = listenOnLoopback()
    private val accepted = CopyOnWriteArrayList<ProxiedConnection>()
    private val requestListeners = CopyOnWriteArrayList<RequestListener>()
    private val replyFilters = CopyOnWriteArrayList<ReplyFilter>()

    @Volatile
    private var upstream = InetSocketAddress(upstreamHost, upstreamPort)

    @Volatile
    private var refusing = false

    /** The address that clients connect to. */
    public val host: String = LOOPBACK

    /** The port that clients connect to. */
    public val port: Int = listener.localPort

    /** Every connection so far, in the order in which they were accepted, closed ones included. */
    public val connections: List<ProxiedConnection> get() = accepted.toList()

    private val acceptor = thread(isDaemon = true, name = "fault-proxy-$port", block = ::acceptAll)

    /** Calls [listener] for what clients send from now on. */
    public fun onRequest(listener: RequestListener) {
        requestListeners += listener
    }

    /** Asks [filter] about what the server sends from now on; any filter can swallow it. */
    public fun onReply(filter: ReplyFilter) {
        replyFilters += filter
    }

    /** Sends new connections to another server, as an address that moves in a failover does. */
    public fun redirect(upstreamHost: String, upstreamPort: Int) {
        upstream = InetSocketAddress(upstreamHost, upstreamPort)
    }

    /** Resets new connections at once, while on. */
    @JvmOverloads
    public fun refuseConnections(on: Boolean = true) {
        refusing = on
    }

    /** Waits until [count] connections have been accepted in all. */
    @JvmOverloads
    public fun awaitConnections(count: Int, timeout: Duration = DEFAULT_TIMEOUT) {
        monitor.await(timeout, { "${accepted.size} connections, not $count" }) { accepted.takeIf { it.size >= count } }
    }

    /** Waits until a request with [text] in it is held back by [holdRequests] or [stall], and returns its connection. */
    @JvmOverloads
    public fun awaitHeldRequest(text: String, timeout: Duration = DEFAULT_TIMEOUT): ProxiedConnection =
        monitor.await(timeout, { "No request with '$text' was held" }) { accepted.firstOrNull { it.holdsRequest(text) } }

    /** Waits until a reply has been swallowed, and returns its connection. */
    @JvmOverloads
    public fun awaitDroppedReply(timeout: Duration = DEFAULT_TIMEOUT): ProxiedConnection =
        monitor.await(timeout, { "No reply was dropped" }) { accepted.firstOrNull { it.hasDroppedReply } }

    override fun cut() {
        accepted.forEach(ProxiedConnection::cut)
    }

    override fun cutClient() {
        accepted.forEach(ProxiedConnection::cutClient)
    }

    /** Resets all connections and accepts no more. */
    override fun close() {
        listener.close()
        // As long as a thread is in accept, the system lets clients in.
        acceptor.join()
        cut()
    }

    internal fun announceRequest(connection: ProxiedConnection, request: String) {
        requestListeners.forEach { it.onRequest(connection, request) }
    }

    internal fun wantsReply(connection: ProxiedConnection, reply: String): Boolean = replyFilters.all { it.deliver(connection, reply) }

    private fun acceptAll() {
        while (true) {
            val client = try {
                listener.accept()
            } catch (_: IOException) {
                return
            }
            try {
                connect(client)
            } catch (_: IOException) {
                client.close()
            }
        }
    }

    private fun connect(client: Socket) {
        if (refusing) return client.reset()
        val server = Socket()
        try {
            server.connect(upstream, CONNECT_TIMEOUT_MILLIS)
        } catch (_: IOException) {
            server.close()
            return client.reset()
        }
        client.tcpNoDelay = true
        server.tcpNoDelay = true
        val connection = ProxiedConnection(accepted.size, this, client, server)
        monitor.change { accepted += connection }
        connection.start()
    }

    private companion object {
        val DEFAULT_TIMEOUT: Duration = Duration.ofSeconds(30)
        const val CONNECT_TIMEOUT_MILLIS = 5_000
    }
}
