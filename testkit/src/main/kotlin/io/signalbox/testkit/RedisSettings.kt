package io.signalbox.testkit

import java.nio.file.Path

/**
 * How a server of [RedisServer.start] is to be set up.
 *
 * Without any setting it listens on a free loopback port, keeps everything in memory and asks for no password.
 * The functions return the settings, for chained calls from Java.
 */
public class RedisSettings {
    internal val directives = mutableListOf<List<String>>()
    internal val aclLines = mutableListOf<String>()
    internal var password: String? = null
        private set
    internal var tlsNames: List<String>? = null
        private set
    internal var master: RedisServer? = null
        private set
    internal var binary: RedisBinary? = null
        private set
    internal var debugCommands: Boolean = false
        private set
    internal var role: ServerRole = ServerRole.SINGLE

    /** Adds a line to the configuration file: [key] and its values, which need no quotes. Later lines win. */
    public fun config(key: String, vararg values: String): RedisSettings = apply {
        require(key.isNotBlank()) { "A configuration key must not be blank" }
        directives += listOf(key) + values
    }

    /** Writes every change to an append-only file, so that a [RedisProcess.restart] finds the data again. */
    @JvmOverloads
    public fun appendOnly(fsync: Fsync = Fsync.ALWAYS): RedisSettings = apply {
        config("appendonly", "yes")
        config("appendfsync", fsync.directive)
    }

    /** Limits the memory to an amount such as `100mb`, and says what to do when it is reached (`noeviction`, `allkeys-lru`, ...). */
    @JvmOverloads
    public fun maxMemory(amount: String, policy: String = "noeviction"): RedisSettings = apply {
        config("maxmemory", amount)
        config("maxmemory-policy", policy)
    }

    /** Allows the `DEBUG` command (`DEBUG SLEEP`, `DEBUG JMAP`, ...), which servers from version 7 on refuse by default. */
    public fun debugCommands(): RedisSettings = apply { debugCommands = true }

    /** Protects the default user with a password; [RedisServer.uri] has it. */
    public fun password(password: String): RedisSettings = apply {
        require(password.isNotEmpty() && password.none(Char::isWhitespace)) { "A password must not be empty or have spaces" }
        this.password = password
    }

    /**
     * Adds a user with access rules such as `on`, `>secret`, `~app:*`, `+@read`.
     *
     * The default user stays as it is, unless it is the one named. See [RedisProcess.uriFor].
     */
    public fun user(name: String, vararg rules: String): RedisSettings = acl((listOf("user", name) + rules).joinToString(" "))

    /** Adds lines to the server's ACL file. */
    public fun acl(lines: String): RedisSettings = apply {
        aclLines += lines.lines().map(String::trim).filter(String::isNotEmpty)
    }

    /**
     * Lets the server speak TLS only, with a new self-signed certificate for the given host names and addresses;
     * without any: for `localhost` and `127.0.0.1`. [RedisProcess.tls] has what a client needs to trust it.
     *
     * A Redis without TLS compiled in makes the start fail with a message that says so.
     */
    public fun tls(vararg names: String): RedisSettings = apply {
        tlsNames = names.toList().ifEmpty { listOf("localhost", LOOPBACK) }
    }

    /** Makes the server a replica of [master]. */
    public fun replicaOf(master: RedisServer): RedisSettings = apply { this.master = master }

    /** Runs this `redis-server` (6.2 or newer), `valkey-server` or `redict-server` instead of the one found. */
    public fun binary(path: Path): RedisSettings = apply { binary = RedisBinary.at(path) }

    /** Runs the Redis 7.0 that comes with the testkit, even if there is another on the `PATH` or in the environment. */
    public fun bundledBinary(): RedisSettings = apply { binary = RedisBinary.bundled }
}

/** When Redis forces its append-only file onto the disk. */
public enum class Fsync(internal val directive: String) {
    /** Before a command is answered: no answered write is lost when the process is killed. */
    ALWAYS("always"),

    /** Once a second. */
    EVERY_SECOND("everysec"),

    /** When the operating system sees fit. */
    NEVER("no"),
}

/** What a server process is part of. */
internal enum class ServerRole(val arguments: List<String> = emptyList()) {
    SINGLE,

    /** A node of a cluster; its second port, the bus, is 10000 above the first. */
    CLUSTER_NODE,

    /** Not a server, but who watches some. Rewrites its own configuration. */
    SENTINEL(listOf("--sentinel")),
}
