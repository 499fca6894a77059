package io.signalbox.ledger.turns

import io.signalbox.internal.ledger.Announcement
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Words

/**
 * Faults between client and ledger, each of them a rule of the protocol undone at one end: what is said by the one is understood by the other
 * as if it did not know the rule.
 */
internal object LineBugs {
    val all: List<LineBug> =
        listOf(
            object : LineBug("a gift that is announced twice counts twice") {
                override fun announcement(announcement: Announcement) = announcement.copy(given = announcement.given + 1)
            },
            object : LineBug("a gift that is answered twice counts twice") {
                override fun answer(answer: Answer) = answer.done {
                    copy(
                        record = record.copy(
                            given =
                            record.given + if (record.number % 7 == 3L) 1 else 0,
                        ),
                    )
                }
            },
            object : LineBug("an announcement to a session that is over reaches the next one") {
                override val confusesSessions get() = true
            },
            object : LineBug("a permit that is given back is not counted") {
                override fun exchange(exchange: Exchange) = exchange.saying(
                    exchange.words.run {
                        copy(
                            returned = maxOf(
                                consumed,
                                returned - 1,
                            ),
                        )
                    },
                )
            },
            object : LineBug("waiters that were started are not said to have passed") {
                override fun exchange(exchange: Exchange) = exchange.saying(exchange.words.run { copy(passed = dropped) })
            },
            object : LineBug("permits are said to be back before they are") {
                override fun exchange(exchange: Exchange) =
                    exchange.saying(exchange.words.run { if (exchange.number % 5 == 4L) copy(returned = returned + 1) else this })
            },
            object : LineBug("places that are given up are not taken out of the queue") {
                override fun exchange(exchange: Exchange) = exchange.saying(exchange.words, leaves = false)
            },
        )

    private fun Answer.done(change: Answer.Done.() -> Answer.Done): Answer = if (this is Answer.Done) change() else this

    private fun Exchange.saying(
        words: Words,
        leaves: Boolean = true,
    ) = Exchange(
        session,
        number,
        epoch,
        inbox,
        words,
        firstSequence,
        acquires,
        releases,
        if (leaves) this.leaves else emptyList(),
        commands,
        roster,
        heard,
        expected = null,
        goodbye,
    )
}
