package io.signalbox.history

import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.Keys
import io.signalbox.internal.redis.Scripts

// One reading of the clock of its own, because the scripts read it later.
private val PREAMBLE =
    """
    local audited_at = redis.call('TIME')
    local function audit(...)
      redis.call('RPUSH', KEYS[1] .. ':audit', table.concat({ string.format('%d%06d', audited_at[1], audited_at[2]), ARGV[1], ... }, ' '))
    end

    """.trimIndent()

/**
 * The scripts of production, except that they also write down what they do, within the same atomic step.
 *
 * In production the places to write down are comments, `--@audit(event, argument...)`. Here each becomes a call that appends a
 * line to the list [auditKey]: server time in microseconds, the session that called, event, arguments. Every call of a session
 * begins with a line of its own: `open` with label and lease, `exchange` with its number and whether it is a goodbye.
 */
internal val auditedScripts: Scripts = Scripts(::audited)

internal fun audited(script: String): String {
    val call =
        when {
            "'gap '" in script -> "audit('exchange', ARGV[12], ARGV[17])"
            "'notfound'" in script -> "audit('open', ARGV[3], ARGV[5])"
            else -> ""
        }
    return PREAMBLE + call + "\n" + script.replace("--@audit(", "audit(")
}

/** Where [auditedScripts] write for the semaphore [name]. */
internal fun auditKey(
    name: String,
    namespace: String = "signalbox",
): String = String(Keys(namespace).of(LedgerName(Kind.SEMAPHORE, name)).first()) + ":audit"
