package io.signalbox.testkit

import java.net.URI
import java.net.URLDecoder
import javax.net.ssl.SSLSocketFactory

/** Where a server is, and who we are to it. */
internal class RedisAddress(
    val host: String,
    val port: Int,
    val tls: SSLSocketFactory? = null,
    val user: String? = null,
    val password: String? = null,
) {
    companion object {
        private const val DEFAULT_PORT = 6379

        /** The address in a `redis://` or `rediss://` URI of a single server. */
        fun of(uri: String): RedisAddress {
            val parsed = URI(uri)
            val tls = when (parsed.scheme) {
                "redis" -> null
                "rediss" -> SSLSocketFactory.getDefault() as SSLSocketFactory
                else -> throw IllegalArgumentException("A redis:// or rediss:// URI is needed, not ${uri.withoutCredentials()}")
            }
            val host = requireNotNull(parsed.host) { "No single host in ${uri.withoutCredentials()}" }
            // "user:password@", ":password@" or "password@"
            val credentials = parsed.rawUserInfo?.split(':', limit = 2)?.map { URLDecoder.decode(it, Charsets.UTF_8) }
            return RedisAddress(
                host.removeSurrounding("[", "]"),
                parsed.port.takeIf { it > 0 } ?: DEFAULT_PORT,
                tls,
                credentials?.takeIf { it.size == 2 }?.first()?.ifEmpty { null },
                credentials?.last(),
            )
        }
    }
}

/** The URI as it may be printed. */
internal fun String.withoutCredentials(): String = replace(Regex("//[^/]*@"), "//***@")
