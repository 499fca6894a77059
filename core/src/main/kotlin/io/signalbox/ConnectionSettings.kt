package io.signalbox

import io.lettuce.core.ClientOptions
import io.lettuce.core.RedisCredentialsProvider
import java.nio.file.Path

/**
 * How [Signalbox.connect] and [Signalbox.connectCluster] reach their servers, beyond what the URI says. The same for every server: a primary,
 * its successor, each node of a cluster; Sentinels themselves go by what the URI says.
 *
 * ```
 * Signalbox.connect("rediss://cache.internal") {
 *     connection {
 *         trustedCertificates = Path.of("/etc/ssl/internal-ca.pem")
 *         clientCertificate = Path.of("/etc/ssl/billing.pem")
 *         clientKey = Path.of("/etc/ssl/billing.key")
 *     }
 * }
 * ```
 *
 * What is wrong with files is told when the client is made.
 */
public class ConnectionSettings internal constructor() {
    /** A PEM file with the certificates of authorities that are trusted instead of the JVM's. */
    public var trustedCertificates: Path? = null

    /** A PEM file with the client's certificate, and those between it and its authority; together with [clientKey]. */
    public var clientCertificate: Path? = null

    /** A PEM file with the private key (PKCS#8) of [clientCertificate]. */
    public var clientKey: Path? = null

    /** What [clientKey] is encrypted with, if it is. */
    public var clientKeyPassword: String? = null

    /**
     * Whether a certificate has to be for the host that was asked for. False still wants one of a trusted authority, for servers that are
     * known by addresses that their certificates do not have.
     */
    public var verifyHostName: Boolean = true

    /** Asked for user and password whenever a connection is made: for those that change. Instead of what the URI says. */
    public var credentials: RedisCredentialsProvider? = null

    internal var configureOptions: ClientOptions.Builder.() -> Unit = {}
        private set
    internal var isUsed: Boolean = false
        private set

    /**
     * Changes the options of the driver before the client is made. Whatever they say, connections that broke are replaced by this library and
     * not repaired by the driver, and what is set here for TLS comes first.
     */
    public fun options(configure: ClientOptions.Builder.() -> Unit) {
        configureOptions = configure
    }

    internal fun use(configure: ConnectionSettings.() -> Unit) {
        isUsed = true
        configure()
    }
}
