package io.signalbox.testkit

import java.nio.file.Path
import java.util.UUID

/** The user that the testkit itself is, on a server with users. */
internal class Administrator(val name: String, val password: String)

/** Who administers the server; null where everybody is let in. */
internal fun RedisSettings.administrator(): Administrator? =
    if (aclLines.isEmpty() && password == null) null else Administrator("signalbox-testkit", UUID.randomUUID().toString())

/** The content of the ACL file. */
internal fun RedisSettings.aclFile(administrator: Administrator): String {
    val everything = "~* &* +@all"
    val lines = mutableListOf("user ${administrator.name} on >${administrator.password} $everything")
    if (aclLines.none { it.startsWith("user default ") }) {
        lines += "user default on ${password?.let { ">$it" } ?: "nopass"} $everything"
    }
    return (lines + aclLines).joinToString("\n", postfix = "\n")
}

/** The content of the configuration file. */
internal fun RedisSettings.configuration(port: Int, data: Path, aclFile: Path?, tls: TlsFiles?, binary: RedisBinary): String {
    val lines = mutableListOf(
        listOf("bind", LOOPBACK),
        listOf("daemonize", "no"),
        listOf("dir", "$data"),
    )
    if (role != ServerRole.SENTINEL) {
        lines += listOf("save", "")
        // A replica should not have to wait for others to come along.
        lines += listOf("repl-diskless-sync-delay", "0")
    }
    if (role == ServerRole.CLUSTER_NODE) lines += listOf("cluster-enabled", "yes")
    if (tls == null) {
        lines += listOf("port", "$port")
    } else {
        lines += listOf("port", "0")
        lines += listOf("tls-port", "$port")
        lines += listOf("tls-auth-clients", "no")
        lines += certificate(tls)
    }
    if (aclFile != null) lines += listOf("aclfile", "$aclFile")
    master?.let { lines += replication(it, tls) }
    if (debugCommands && binary.guardsDebug) lines += listOf("enable-debug-command", "local")
    lines += directives
    return lines.joinToString("\n", postfix = "\n") { line -> line.first() + line.drop(1).joinToString("") { " ${it.quoted()}" } }
}

private fun replication(master: RedisServer, ownTls: TlsFiles?): List<List<String>> {
    val address = RedisAddress.of(master.uri)
    val lines = mutableListOf(listOf("replicaof", address.host, "${address.port}"))
    address.user?.let { lines += listOf("masteruser", it) }
    address.password?.let { lines += listOf("masterauth", it) }
    val masterTls = (master as? RedisProcess)?.tls
    if (masterTls != null) {
        lines += listOf("tls-replication", "yes")
        if (ownTls == null) lines += certificate(masterTls)
        lines += listOf("tls-ca-cert-file", "${masterTls.certificate}")
    }
    return lines
}

private fun certificate(tls: TlsFiles) = listOf(
    listOf("tls-cert-file", "${tls.certificate}"),
    listOf("tls-key-file", "${tls.privateKey}"),
    listOf("tls-ca-cert-file", "${tls.certificate}"),
)

private fun String.quoted() = '"' + replace("\\", "\\\\").replace("\"", "\\\"") + '"'
