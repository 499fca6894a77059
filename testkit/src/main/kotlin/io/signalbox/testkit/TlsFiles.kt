package io.signalbox.testkit

import java.nio.file.Path
import java.security.KeyStore
import java.util.Base64
import java.util.concurrent.TimeUnit
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLSocketFactory
import javax.net.ssl.TrustManagerFactory
import kotlin.io.path.inputStream
import kotlin.io.path.writeText

/** The self-signed certificate of a TLS server of [RedisServer.start], in the forms that clients ask for. */
public class TlsFiles internal constructor(
    /** The certificate as PEM. Being self-signed it is also the authority to trust. */
    public val certificate: Path,
    /** The certificate's private key as unencrypted PKCS#8 PEM. */
    public val privateKey: Path,
    /** The certificate and its key as a PKCS#12 key store, which also serves as a trust store. */
    public val keyStore: Path,
    /** The password of [keyStore]. */
    public val keyStorePassword: String,
) {
    internal fun socketFactory(): SSLSocketFactory {
        val managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm()).apply { init(loadKeyStore()) }
        return SSLContext.getInstance("TLS").apply { init(null, managers.trustManagers, null) }.socketFactory
    }

    private fun loadKeyStore(): KeyStore = KeyStore.getInstance("PKCS12").apply {
        keyStore.inputStream().use { load(it, keyStorePassword.toCharArray()) }
    }

    internal companion object {
        private const val ALIAS = "redis"

        /** Makes a key pair and its certificate with the JDK's keytool. */
        fun generate(directory: Path, names: List<String>): TlsFiles {
            val files =
                TlsFiles(directory.resolve("redis.crt"), directory.resolve("redis.key"), directory.resolve("redis.p12"), "signalbox")
            val store =
                listOf("-keystore", "${files.keyStore}", "-storetype", "PKCS12", "-storepass", files.keyStorePassword, "-alias", ALIAS)
            val alternatives = names.joinToString(",") { if (it.matches(IP_ADDRESS)) "ip:$it" else "dns:$it" }
            keytool(
                listOf("-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=signalbox-testkit") +
                    listOf("-validity", "30", "-ext", "san=$alternatives", "-ext", "bc=ca:true") + store,
            )
            val pair = files.loadKeyStore()
            files.certificate.writeText(pem("CERTIFICATE", pair.getCertificate(ALIAS).encoded))
            files.privateKey.writeText(pem("PRIVATE KEY", pair.getKey(ALIAS, files.keyStorePassword.toCharArray()).encoded))
            return files
        }

        private fun pem(label: String, content: ByteArray): String {
            val text = Base64.getMimeEncoder(64, byteArrayOf('\n'.code.toByte())).encodeToString(content)
            return "-----BEGIN $label-----\n$text\n-----END $label-----\n"
        }

        private val IP_ADDRESS = Regex("""[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*""")

        private fun keytool(arguments: List<String>) {
            val tool = Path.of(System.getProperty("java.home"), "bin", "keytool")
            val process = ProcessBuilder(listOf("$tool") + arguments).redirectErrorStream(true).start()
            val output = process.inputReader().use { it.readText() }
            val done = process.waitFor(30, TimeUnit.SECONDS) && process.exitValue() == 0
            check(done) { "keytool ${arguments.first()} failed: $output" }
        }
    }
}
