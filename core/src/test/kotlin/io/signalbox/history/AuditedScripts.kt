package io.signalbox.history

import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.Keys
import io.signalbox.internal.redis.Scripts

// The clock is read once, here, and the script is given that: it may be milliseconds until it would read it itself. Nothing is written
// before the script is over: the first write must be the script's own, and a script that is refused half-way has done nothing unless its
// state was written.
private val PREAMBLE =
    """
    local audited_at, audited, audit_valid = redis.call('TIME'), {}, false
    local function audit(...)
      audited[#audited + 1] = table.concat({ string.format('%d%06d', audited_at[1], audited_at[2]), ARGV[1], ... }, ' ')
    end
    local function audited_script()

    """.trimIndent()

private val CLOSING =
    """

    end
    local audit_ok, audit_result = pcall(audited_script)
    -- Of a call that changed nothing a server out of memory refuses the line, and the call must not fail for that.
    local append = (#audited > 1 or audit_ok and audit_result[1] == 'joined') and redis.call or redis.pcall
    if audit_ok or audit_valid then
      for from = 1, #audited, 1000 do
        append('RPUSH', KEYS[1] .. ':audit', (unpack or table.unpack)(audited, from, math.min(from + 999, #audited)))
      end
    end
    if not audit_ok then
      error(audit_result, 0)
    end
    return audit_result
    """.trimIndent()

/** What a script cannot be refused behind without having done its work: the last write of the state. */
private val WRITES = listOf("each_piece('HSET', state, written)", "redis.call('HSET', state, unpack(written))")

/**
 * The scripts of production, except that they also write down what they do, within the same atomic step.
 *
 * In production the places to write down are comments, `--@audit(event, argument...)`. Here each becomes a line of the list [auditKey]:
 * server time in microseconds, the session that called, event, arguments. Every call of a session begins with a line of its own: `open`
 * with label and lease, `exchange` with its number and whether it is a goodbye.
 */
internal val auditedScripts: Scripts = Scripts(::audited)

internal fun audited(script: String): String {
    val call =
        when {
            "'gap '" in script -> "audit('exchange', ARGV[12], ARGV[17])"
            "'notfound'" in script -> "audit('open', ARGV[3], ARGV[5])"
            else -> return script
        }
    val told = script.replace("--@audit(", "audit(").replace("redis.call('TIME')", "audited_at")
    val watched = WRITES.fold(told) { text, write -> text.replace(write, "$write\naudit_valid = true") }
    return PREAMBLE + call + "\n" + watched + CLOSING
}

/** Where [auditedScripts] write for the semaphore, mutex or event [name]. */
internal fun auditKey(
    name: String,
    namespace: String = "signalbox",
    kind: Kind = Kind.SEMAPHORE,
): String = String(Keys(namespace).of(LedgerName(kind, name)).first()) + ":audit"
