package io.signalbox.testkit

/**
 * A real Redis (or Valkey) server that a test can talk to.
 *
 * [shared] gives a running one that many tests use, [start] one of the test's own, to configure, break and repair.
 */
public interface RedisServer {
    /** Where the server is, as a Redis URI (`redis://` or `rediss://`), with the credentials that are needed. */
    public val uri: String

    /** The host name or address in [uri]. */
    public val host: String

    /** The port in [uri]. */
    public val port: Int

    /**
     * Runs one command on a connection of its own, meant for administration (`CONFIG SET`, `CLIENT KILL`, `INFO`).
     *
     * Blocks until the reply is there. A nil reply is the empty string, an array has a line for each element,
     * as in `redis-cli --raw`.
     *
     * @throws RedisErrorReply if Redis answers with an error
     * @throws java.io.IOException if the server does not answer within ten seconds
     */
    public fun command(vararg words: String): String

    public companion object {
        /**
         * The server that this JVM's tests share. The first call finds it, and prints in one line which it took:
         *
         * 1. the one at the URI in the environment variable `SIGNALBOX_REDIS_URI`;
         * 2. a child process of the program in the environment variable `SIGNALBOX_REDIS_SERVER`;
         * 3. a container, if Testcontainers is on the class path and a Docker engine answers;
         * 4. a child process of the `redis-server` (from version 6.2), `valkey-server` or `redict-server` on the `PATH`;
         * 5. a child process of the Redis 7.0 binary that comes with the testkit.
         *
         * What it started ends with the JVM. The data are shared as well: a test should use keys of its own.
         */
        @JvmStatic
        public fun shared(): RedisServer = SharedRedis.server

        /**
         * Starts a server as a child process: the program in `SIGNALBOX_REDIS_SERVER`, else the one on the `PATH`, else the one that comes
         * with the testkit.
         *
         * Blocks until it answers `PING` and, for a replica, until it has its master's data.
         *
         * @throws IllegalStateException if the server does not come up; the message has its log
         */
        @JvmStatic
        @JvmOverloads
        public fun start(settings: RedisSettings = RedisSettings()): RedisProcess = RedisProcess.start(settings)

        /** Starts a server as a child process with the settings made in [configure]. */
        @JvmSynthetic
        public fun start(configure: RedisSettings.() -> Unit): RedisProcess = start(RedisSettings().apply(configure))
    }
}
