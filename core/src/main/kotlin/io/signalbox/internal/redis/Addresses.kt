package io.signalbox.internal.redis

import io.lettuce.core.RedisURI
import io.lettuce.core.resource.Transports

/**
 * Reads addresses of servers. Stricter than the driver, which takes what it cannot split for the name of a host, asks for that in the whole
 * network, and may show a part of a password with it. No text of a refusal repeats what was given.
 */
internal object Addresses {
    fun parse(uri: String): RedisURI {
        val scheme = uri.substringBefore("://", missingDelimiterValue = "")
        if (scheme !in SCHEMES) refuse()
        if ('#' in (if (isSentinel(scheme)) uri.substringBeforeLast('@', "") else uri)) refuse("In a password '#' is written %23.")
        if (uri.any { it.isWhitespace() || it.isISOControl() }) refuse("Blanks and control characters are percent-encoded.")
        if (VERIFY.containsMatchIn(uri)) {
            refuse("The name of the host is always verified; make a RedisClient of your own for anything else, and give that to Signalbox.")
        }
        if (scheme in SOCKETS) {
            requireSockets()
            return create(uri)
        }
        val hosts = hostsIn(uri.authority(), isSentinel(scheme))
        if (hosts.size > 1 && !isSentinel(scheme)) {
            refuse("It names several servers; only redis-sentinel:// does. For the nodes of a cluster there is connectCluster().")
        }
        if (isSentinel(scheme) && uri.substringAfterLast('@').substringAfter('#', "").isEmpty()) {
            refuse("The name under which the Sentinels know the primary is missing: add #name at the end.")
        }
        return create(uri).apply {
            // What has an underscore is no name of a host to the JDK, and so taken as a whole for one by the driver.
            val (name, port) = hosts.first()
            if ('_' !in name || isSentinel(scheme)) return@apply
            host = name
            if (port.isNotEmpty()) this.port = port.toInt()
        }
    }

    /** Nodes of a cluster, at least one: as many as [uris] name, several each or not. */
    fun parseCluster(uris: Collection<String>): List<RedisURI> {
        require(uris.isNotEmpty()) { "Name one node of the cluster at least, better several." }
        return uris.flatMap(::nodesOf)
    }

    private fun nodesOf(uri: String): List<RedisURI> {
        val scheme = uri.substringBefore("://", missingDelimiterValue = "")
        if (scheme in SOCKETS || isSentinel(scheme)) refuse("A cluster is found by redis:// or rediss://.")
        val authority = uri.authority()
        val head = if ('@' in authority) authority.substringBeforeLast('@') + "@" else ""
        // Each as the whole, with one of its hosts.
        val nodes = authority.removePrefix(head).split(',').map { host -> parse(uri.replaceFirst("://$authority", "://$head$host")) }
        if (nodes.any { it.database != 0 }) refuse("A cluster has the database 0 only.")
        return nodes
    }

    private fun String.authority() = substringAfter("://").substringBefore('/').substringBefore('?').substringBefore('#')

    private fun isSentinel(scheme: String) = scheme.endsWith("sentinel")

    private fun create(uri: String): RedisURI =
        try {
            RedisURI.create(uri)
        } catch (_: IllegalArgumentException) {
            // Its text may repeat the URI, password included.
            refuse()
        }

    /** Names, and ports or empty texts. */
    private fun hostsIn(
        authority: String,
        isSentinel: Boolean,
    ): List<Pair<String, String>> {
        if (authority.count { it == '@' } > 1) refuse("An '@' in a user or password is written %40.")
        val hosts = authority.substringAfter('@').split(',')
        return hosts.map { host ->
            val (_, name, port) = HOST.matchEntire(host)?.groupValues ?: refuse("There is no host where one should be.")
            if (port.isNotEmpty() && (port.length > MOST_DIGITS || port.toInt() !in PORTS)) refuse("A port is from 1 to 65535.")
            Pair(name, port)
        }
    }

    private fun requireSockets() {
        if (!Transports.NativeTransports.isDomainSocketSupported()) {
            refuse("Unix sockets need Netty's native transport (netty-transport-native-epoll or -kqueue) on the class path.")
        }
    }

    private fun refuse(reason: String = ""): Nothing =
        throw IllegalArgumentException(
            "The Redis URI cannot be used. ${if (reason.isEmpty()) "" else "$reason "}" +
                "Expected redis://[[user:]password@]host[:port][/database], " +
                "rediss:// for TLS, or redis-sentinel://[[user:]password@]host[:port][,host[:port]][/database]#name for Sentinels.",
        )

    private val SOCKETS = setOf("redis-socket", "redis+socket")
    private val SCHEMES = setOf("redis", "rediss", "redis+ssl", "redis+tls", "redis-sentinel", "rediss-sentinel") + SOCKETS
    private val VERIFY = Regex("[?&]verifyPeer=(?!FULL|TRUE)", RegexOption.IGNORE_CASE)

    /** A name, in which Docker has underscores, or an address; with a port. */
    private val HOST = Regex("""([A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._-]+)?])(?::(\d+))?""")
    private const val MOST_DIGITS = 5
    private val PORTS = 1..65535
}
