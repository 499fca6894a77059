package io.signalbox.chaos.fault

import io.signalbox.chaos.run.Arena
import kotlin.random.Random

/** The user may not do something that the library needs, and then may again. */
internal abstract class MissingRights(
    kind: String,
    private val commands: List<String>,
) : Outage(kind, 10L..1500L) {
    override fun Arena.begin(random: Random) {
        val taken = commands.shuffled(random).take(random.nextInt(1, 4))
        command("ACL", "SETUSER", Arena.USER, *taken.map { "-$it" }.toTypedArray())
    }

    override suspend fun Arena.end(random: Random) {
        command("ACL", "SETUSER", Arena.USER, "+@all")
    }
}

/** Rights without which scripts are refused at their begin, or not called at all. */
internal object RightsTaken :
    MissingRights("rights-taken", listOf("evalsha", "eval", "hmget", "blpop", "lpop", "time", "multi", "exec", "set"))

/** Rights that scripts need behind their begin: they try them all before they write anything. */
internal object HalfRights : MissingRights(
    "half-rights",
    // Not rpush, by which the audit log is written: the right to it is not tried.
    listOf("hset", "hdel", "zadd", "zrem", "zrange", "zrangebyscore", "zrangebylex", "pexpire"),
)

/** The user is not let in, and then is again. */
internal object UserOff : Outage("user-off", 10L..1500L, weight = 1) {
    override fun Arena.begin(random: Random) {
        command("ACL", "SETUSER", Arena.USER, "off")
        proxy.cut()
    }

    override suspend fun Arena.end(random: Random) {
        command("ACL", "SETUSER", Arena.USER, "on")
    }
}

/** The server is out of memory, and evicts nothing. */
internal object FullMemory : WrongSetting("full-memory", 10L..1500L, "maxmemory", broken = "1", whole = "0")

/** The server closes connections that are idle for a second. */
internal object IdleTimeout : WrongSetting("idle-timeout", 500L..2500L, "timeout", broken = "1", whole = "0", weight = 1)

/** The server lets nobody new in. */
internal object MaxClients : Outage("max-clients", 50L..1500L) {
    override fun Arena.begin(random: Random) {
        // Room for the testkit's own command, which ends this.
        val open = command("CLIENT", "LIST").lines().count { it.isNotBlank() }
        command("CONFIG", "SET", "maxclients", "${maxOf(2, open - 2)}")
        proxy.cut()
    }

    override suspend fun Arena.end(random: Random) {
        repeat(ATTEMPTS) {
            // All places may be taken by now.
            proxy.cut()
            try {
                command("CONFIG", "SET", "maxclients", "10000")
                return
            } catch (_: RuntimeException) {
                linger(random, 1, 10)
            }
        }
        error("The server does not let the testkit in any more")
    }

    private const val ATTEMPTS = 1000
}
