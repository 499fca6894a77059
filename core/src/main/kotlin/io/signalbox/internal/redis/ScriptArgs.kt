package io.signalbox.internal.redis

import io.lettuce.core.protocol.CommandArgs
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.FORMAT
import io.signalbox.internal.ledger.Labels
import io.signalbox.internal.ledger.ListedGrant
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.Roster
import java.util.Locale

/** How requests are laid out as arguments; the counterpart of the headers of the scripts. */
internal object ScriptArgs {
    /** Work of one kind in one script: keeps a script below some milliseconds. */
    const val BOUND = 500L

    /** What a client reads that can be told of orders; without, the number of the format alone. */
    private const val READS_ORDERS = "$FORMAT.1"

    fun CommandArgs<ByteArray, ByteArray>.addOpening(opening: Opening): CommandArgs<ByteArray, ByteArray> {
        add(opening.session).add(opening.previous)
        add(opening.label.toByteArray()).add(opening.inbox)
        add(opening.leaseMillis).add(opening.retentionMillis)
        add(opening.declared.toLong()).add(flag(opening.bounded)).add(opening.longestMillis)
        add(opening.newEpoch).add(if (opening.hearsOrders) READS_ORDERS else "$FORMAT").add(opening.running.toLong()).add(opening.floor)
        add(opening.policy.name.lowercase(Locale.ROOT))
        for (hold in opening.listed) add(hold.token).add(hold.weight.toLong()).add(hold.holdMillis)
        return this
    }

    fun CommandArgs<ByteArray, ByteArray>.addExchange(
        exchange: Exchange,
        announceInScript: Boolean,
        retentionMillis: Long,
        bound: Long = BOUND,
    ): CommandArgs<ByteArray, ByteArray> {
        add(exchange.session)
        addExpectation(exchange)
        add(retentionMillis).add(exchange.roster?.let(::text).orEmpty())
        add(exchange.number).add(exchange.epoch).add(exchange.inbox).add(bound)
        add(flag(announceInScript)).add(flag(exchange.goodbye))
        exchange.words.run { add(returned).add(passed).add(dropped).add(consumed) }
        add(exchange.firstSequence).add(exchange.acquires.size.toLong())
        add(exchange.releases.size.toLong()).add(exchange.leaves.size.toLong()).add(exchange.commands.size.toLong())
        if (exchange.heard < 0) add(NOTHING) else add("${exchange.heard} ")
        for (run in exchange.acquires) {
            add(run.count.toLong()).add(run.weight.toLong()).add(run.holdMillis).add(flag(run.waits))
        }
        for (release in exchange.releases) add(release.grant.token).add(release.grant.weight.toLong()).add(release.keptUntil)
        for (run in exchange.leaves) add(run.sequence).add(run.ticket).add(run.count.toLong())
        for (command in exchange.commands) addCommand(command)
        return this
    }

    private fun CommandArgs<ByteArray, ByteArray>.addExpectation(exchange: Exchange) {
        val expected = exchange.expected
        if (expected == null) {
            repeat(8) { add(NOTHING) }
            return
        }
        add(expected.before.text()).add(expected.after.text())
        add("${exchange.epoch} ${expected.permits}")
        add(expected.growth).add(expected.permits.toLong()).add(expected.renewAt)
        add(expected.acquires.toLong()).add("${exchange.session}|${exchange.number % 2}")
    }

    private fun CommandArgs<ByteArray, ByteArray>.addCommand(command: Command) {
        when (command) {
            is Command.Resize -> add("resize").add(command.permits.toLong()).add(0)
            is Command.AddPermits -> add("add").add(command.permits.toLong()).add(0)
            is Command.Signal -> add("signal").add(command.most.toLong()).add(command.keepMillis)
            is Command.Clear -> add("clear").add(0).add(0)
            is Command.Redeclare -> add("declare").add(command.permits.toLong()).add(0)
            // A label may be part of the name of who has it.
            is Command.Revoke ->
                add("revoke").add(command.run { "$session:$token:$weight" }.toByteArray()).add(Labels.encoded(command.by))

            is Command.Enforce -> add("enforce").add(command.run { "$session:$token:$weight" }).add(0)
            is Command.Extend -> add("extend").add(text(command.grant)).add(command.holdMillis)
        }
    }

    private fun text(grant: ListedGrant) = "${grant.token}:${grant.weight}"

    private fun text(roster: Roster): String =
        buildString {
            append(roster.waitingSince)
            for (run in roster.running) append(' ').append(run.token).append('+').append(run.count).append('@').append(run.since)
        }

    private fun flag(value: Boolean): Long = if (value) 1 else 0

    private val NOTHING = ByteArray(0)
}
