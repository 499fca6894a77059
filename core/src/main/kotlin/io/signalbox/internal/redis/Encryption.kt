package io.signalbox.internal.redis

import io.lettuce.core.RedisURI
import io.lettuce.core.SslOptions
import io.lettuce.core.SslVerifyMode
import io.netty.handler.ssl.SslContextBuilder
import io.signalbox.ConnectionSettings
import java.nio.file.Files
import java.nio.file.Path

/** TLS and credentials as users set them, for the driver. Refuses what cannot work before anything is asked for in the network. */
internal object Encryption {
    /** Puts into [uri] what belongs there. */
    fun apply(
        settings: ConnectionSettings,
        uri: RedisURI,
    ): RedisURI {
        val addresses = listOf(uri) + uri.sentinels
        require(addresses.any { it.isSsl } || !hasTls(settings)) {
            "Certificates and verifyHostName are of use with rediss:// only, and the URI says that the connection is not encrypted."
        }
        if (!settings.verifyHostName) addresses.forEach { it.setVerifyPeer(SslVerifyMode.CA) }
        settings.credentials?.let { uri.credentialsProvider = it }
        return uri
    }

    private fun hasTls(settings: ConnectionSettings) =
        listOf(settings.trustedCertificates, settings.clientCertificate, settings.clientKey).any { it != null } || !settings.verifyHostName

    /** `null` if there is nothing special. */
    fun options(settings: ConnectionSettings): SslOptions? {
        val trusted = settings.trustedCertificates?.also { requireReadable("trustedCertificates", it) }?.toFile()
        val certificate = settings.clientCertificate?.also { requireReadable("clientCertificate", it) }?.toFile()
        val key = settings.clientKey?.also { requireReadable("clientKey", it) }?.toFile()
        require((certificate == null) == (key == null)) {
            "A client's certificate and its key belong together, and only ${if (key == null) "clientCertificate" else "clientKey"} is set."
        }
        if (trusted == null && certificate == null) return null
        val context = SslContextBuilder.forClient()
        val options = SslOptions.builder().jdkSslProvider()
        try {
            if (trusted != null) {
                context.trustManager(trusted)
                options.trustManager(trusted)
            }
            if (certificate != null) {
                context.keyManager(certificate, key, settings.clientKeyPassword)
                options.keyManager(certificate, key, settings.clientKeyPassword?.toCharArray() ?: CharArray(0))
            }
            // Only to see whether it can be: the driver would find out at the first connection.
            context.build()
        } catch (problem: Exception) {
            // Its text may name a password that does not fit.
            throw IllegalArgumentException(
                "The certificates or the key cannot be read (${problem.javaClass.simpleName}). Expected are PEM files: certificates, " +
                    "and a key in PKCS#8 (\"BEGIN PRIVATE KEY\", or \"BEGIN ENCRYPTED PRIVATE KEY\" and clientKeyPassword).",
            )
        }
        return options.build()
    }

    private fun requireReadable(
        name: String,
        file: Path,
    ) = require(Files.isReadable(file)) { "$name is $file, which is no file that can be read." }
}
