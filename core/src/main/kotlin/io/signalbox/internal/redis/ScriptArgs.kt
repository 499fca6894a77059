package io.signalbox.internal.redis

import io.lettuce.core.protocol.CommandArgs
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.HeavyGrant
import io.signalbox.internal.ledger.Opening

/** How requests are laid out as arguments; the counterpart of the headers of the scripts. */
internal object ScriptArgs {
    /** Work of one kind in one script: keeps a script below some milliseconds. */
    const val BOUND = 500L

    fun CommandArgs<ByteArray, ByteArray>.addOpening(opening: Opening): CommandArgs<ByteArray, ByteArray> {
        add(opening.session).add(opening.previous)
        add(opening.label.toByteArray()).add(opening.inbox)
        add(opening.leaseMillis).add(opening.retentionMillis)
        add(opening.declared.toLong()).add(flag(opening.bounded)).add(flag(opening.quarantine))
        add(opening.newEpoch).add(opening.knownEpoch).add(opening.knownNumber)
        add(BOUND)
        for (grant in opening.reasserted) add(grant.token).add(grant.weight.toLong()).add(grant.holdMillis)
        return this
    }

    fun CommandArgs<ByteArray, ByteArray>.addExchange(
        exchange: Exchange,
        announceInScript: Boolean,
        bound: Long = BOUND,
    ): CommandArgs<ByteArray, ByteArray> {
        add(exchange.session).add(exchange.number).add(exchange.inbox).add(bound)
        add(flag(announceInScript)).add(flag(exchange.goodbye))
        add(exchange.firstSequence).add(exchange.acquires.size.toLong())
        add(exchange.releases.ended.size.toLong()).add(exchange.releases.left.size.toLong())
        add(exchange.heavyReleases.size.toLong()).add(exchange.leaves.size.toLong()).add(exchange.commands.size.toLong())
        for (run in exchange.acquires) {
            add(run.count.toLong()).add(run.weight.toLong()).add(run.holdMillis).add(flag(run.waits))
        }
        for (run in exchange.releases.ended) add(run.first).add(run.count.toLong())
        for (run in exchange.releases.left) add(run.first).add(run.count.toLong())
        for (grant in exchange.heavyReleases) add(grant.token).add(grant.weight.toLong())
        for (run in exchange.leaves) add(run.sequence).add(run.ticket).add(run.count.toLong())
        for (command in exchange.commands) addCommand(command)
        return this
    }

    private fun CommandArgs<ByteArray, ByteArray>.addCommand(command: Command) {
        when (command) {
            is Command.Resize -> add("resize").add(command.permits.toLong()).add(0)
            is Command.AddPermits -> add("add").add(command.permits.toLong()).add(0)
            is Command.Signal -> add("signal").add(command.most.toLong()).add(command.keepMillis)
            is Command.Clear -> add("clear").add(0).add(0)
            is Command.Consume -> add("consume").add(command.signals.toLong()).add(0)
            is Command.Extend -> add("extend").add(text(command.grant)).add(command.holdMillis)
        }
    }

    private fun text(grant: HeavyGrant) = "${grant.token}:${grant.weight}"

    private fun flag(value: Boolean): Long = if (value) 1 else 0
}
