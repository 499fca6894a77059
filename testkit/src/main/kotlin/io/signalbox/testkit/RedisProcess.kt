package io.signalbox.testkit

import java.io.IOException
import java.net.URLEncoder
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.TimeUnit
import kotlin.io.path.createDirectory
import kotlin.io.path.exists
import kotlin.io.path.readText
import kotlin.io.path.writeText

/**
 * A Redis server that runs as a child process of this JVM, to be stopped, killed, frozen and started again at will.
 *
 * It keeps its port and its data directory until [close], which leaves neither process nor file behind; so does the
 * end of the JVM. Thread-safe.
 */
public class RedisProcess private constructor(
    private val settings: RedisSettings,
    private val binary: RedisBinary,
) : RedisServer, AutoCloseable {
    /** In a few words, which program this is: its path, or its name and version and where it was found. */
    public val origin: String get() = binary.origin

    private val directory = TempDirectory("redis")
    private val log: Path = directory.path.resolve("server.log")
    private val admin = settings.administrator()
    private var process: Process? = null

    /** The certificate of a server with [RedisSettings.tls], otherwise null. */
    public val tls: TlsFiles? = settings.tlsNames?.let { TlsFiles.generate(directory.path, it) }

    /** Where the server keeps its files, such as the append-only file. */
    public val dataDirectory: Path = directory.path.resolve("data").createDirectory()

    override val host: String = LOOPBACK

    override var port: Int = 0
        private set

    override val uri: String
        get() = settings.password?.let { uriFor("default", it) } ?: "$scheme://$host:$port"

    private val scheme = if (tls == null) "redis" else "rediss"

    /** The process id of the running server. */
    public val pid: Long
        @Synchronized get() = running().pid()

    /** Whether there is a server process, be it a frozen one. */
    public val isRunning: Boolean
        @Synchronized get() = process?.isAlive == true

    /** The server's URI with the credentials of one of its users. */
    public fun uriFor(user: String, password: String): String = "$scheme://${user.encoded()}:${password.encoded()}@$host:$port"

    /** What the server has logged so far, over all its starts. */
    public fun log(): String = if (log.exists()) log.readText() else ""

    override fun command(vararg words: String): String = RespConnection(address()).use { it.call(words.toList()) }

    /** Shuts the server down in an orderly way: it writes what its configuration tells it to write. No-op if it does not run. */
    @Synchronized
    public fun stop() {
        val process = process?.takeIf(Process::isAlive) ?: return
        process.thaw()
        process.destroy()
        if (!process.waitFor(STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
            process.killTree()
            error("Redis did not shut down within $STOP_TIMEOUT and was killed; its log:\n${log()}")
        }
    }

    /** Ends the server with SIGKILL, as a crash or a power cut would. On return it is dead. No-op if it does not run. */
    @Synchronized
    public fun kill() {
        process?.killTree()
    }

    /** Starts the server again on the same port and with the same files; if it still runs it is [stopped][stop] first. */
    @Synchronized
    public fun restart() {
        stop()
        launch()
    }

    /** Stops the server in its tracks with SIGSTOP: connections stay open and nothing is answered until [thaw]. */
    @Synchronized
    public fun freeze() {
        running().freeze()
    }

    /** Lets a frozen server go on. */
    @Synchronized
    public fun thaw() {
        running().thaw()
    }

    /** Makes a replica the master of its own data (`REPLICAOF NO ONE`). */
    public fun promote() {
        command("REPLICAOF", "NO", "ONE")
    }

    /** Kills the server if it runs, and deletes all of its files. */
    @Synchronized
    override fun close() {
        kill()
        directory.close()
        Leftovers.remove(this)
    }

    private fun running(): Process = checkNotNull(process?.takeIf(Process::isAlive)) { "The Redis server on port $port is not running" }

    private fun address() = RedisAddress(host, port, tls?.socketFactory(), admin?.name, admin?.password)

    /** Starts the process and waits until it answers. */
    private fun launch() {
        check(directory.path.exists()) { "The Redis server on port $port has been closed" }
        val logBefore = log().length
        val started = ProcessBuilder(listOf("${binary.path}", "${directory.path.resolve(CONFIGURATION)}") + settings.role.arguments)
            .directory(dataDirectory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start()
        process = started
        awaitUntil("answer PING", started, logBefore) { probe ->
            // Another server that was quicker to take the port would answer as well.
            probe.call(listOf("PING")) == "PONG" && "process_id:${started.pid()}" in probe.call(listOf("INFO", "server"))
        }
    }

    /** Asks the server again and again until it is as wanted; gives up when it dies or time is out. */
    private fun awaitUntil(goal: String, server: Process, logStart: Int, reached: (RespConnection) -> Boolean) {
        val deadline = System.nanoTime() + START_TIMEOUT.toNanos()
        while (true) {
            val asWanted = try {
                RespConnection(address(), PROBE_TIMEOUT).use(reached)
            } catch (_: IOException) {
                false
            } catch (_: RedisErrorReply) {
                false // it is still loading its data
            }
            if (asWanted) return
            if (server.waitFor(
                    PROBE_INTERVAL.toMillis(),
                    TimeUnit.MILLISECONDS,
                )
            ) {
                throw StartFailure("ended with exit code ${server.exitValue()}", logStart)
            }
            if (System.nanoTime() > deadline) throw StartFailure("did not $goal within $START_TIMEOUT", logStart)
        }
    }

    private inner class StartFailure(problem: String, logStart: Int) : IllegalStateException() {
        private val log = log().drop(logStart)

        // Redis 7 says of the bus of a cluster's node only that it could not.
        val portTaken = "Address already in use" in log || "Failed listening on port" in log

        override val message: String = buildString {
            append("The Redis server (${binary.origin}) on port $port $problem. ")
            if (settings.tlsNames != null &&
                NO_TLS.containsMatchIn(log)
            ) {
                append("It was built without TLS; use another with binary(path). ")
            }
            append("Its log:\n$log")
        }
    }

    private fun start() {
        Leftovers.add(this)
        val aclFile = admin?.let { directory.path.resolve(ACL_FILE).apply { writeText(settings.aclFile(it)) } }
        repeat(PORT_ATTEMPTS) { attempt ->
            port = if (settings.role == ServerRole.CLUSTER_NODE) freePortWithBus() else freePort()
            directory.path.resolve(CONFIGURATION).writeText(settings.configuration(port, dataDirectory, aclFile, tls, binary))
            try {
                launch()
                if (settings.master != null) {
                    awaitUntil("copy its master's data", running(), 0) { "master_link_status:up" in it.call(listOf("INFO", "replication")) }
                }
                return
            } catch (e: StartFailure) {
                if (!e.portTaken || attempt == PORT_ATTEMPTS - 1) throw e
            }
        }
    }

    internal companion object {
        private const val CONFIGURATION = "redis.conf"
        private const val ACL_FILE = "users.acl"
        private const val PORT_ATTEMPTS = 5
        private val NO_TLS = Regex("""(?s)'tls-[^\n]*\n[^\n]*Bad directive""")
        private val START_TIMEOUT = Duration.ofSeconds(30)
        private val STOP_TIMEOUT = Duration.ofSeconds(30)
        private val PROBE_TIMEOUT = Duration.ofSeconds(1)
        private val PROBE_INTERVAL = Duration.ofMillis(10)

        fun start(settings: RedisSettings): RedisProcess {
            val binary = settings.binary ?: RedisBinary.default
            val server = RedisProcess(settings, binary)
            try {
                server.start()
            } catch (e: Throwable) {
                server.close()
                throw e
            }
            return server
        }
    }
}

private fun String.encoded() = URLEncoder.encode(this, Charsets.UTF_8).replace("+", "%20")
