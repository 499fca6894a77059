package io.signalbox.history

import io.signalbox.internal.redis.Scripts

/** A bug put into the scripts of production, and what the [AuditCheck] says of a history made with it. */
internal class SeededBug(
    val name: String,
    /** The rule that it takes away, or the fix. */
    val undoes: String,
    val finding: String,
    /** What is right, and the wrong that takes its place. */
    private vararg val changes: Pair<String, String>,
) {
    fun scripts(): Scripts {
        val applied = HashSet<String>()
        val scripts =
            Scripts { script ->
                val spoilt =
                    changes.fold(script) { text, (right, wrong) ->
                        if (right in text) applied += right
                        text.replace(right, wrong)
                    }
                audited(spoilt)
            }
        check(applied.size == changes.size) { "Not in the scripts any more: ${changes.map { it.first } - applied}" }
        return scripts
    }
}

/** What the scenes of [SeededBugsTest] are played with. */
internal val SEEDED_BUGS: List<SeededBug> =
    listOf(
        SeededBug(
            "newcomers come before the queue",
            "who comes queues behind those who wait",
            "passes by",
            "while open and left > 0 do" to "while ARGV[23] == '0' and open and left > 0 do",
            "if open and waiting == 0 and (turn == '' or (turn == session and counted and waits)) then" to "if open then",
        ),
        SeededBug(
            "the turn admits whoever comes, though others queue",
            "a turn admits nobody new while others queue",
            "passes by",
            "if open and waiting == 0 and (turn" to "if open and (turn",
        ),
        SeededBug(
            "tries come before the queue",
            "a try is refused while others wait",
            "passes by",
            "if open and waiting == 0 and (turn == '' or" to "if open and (not waits or waiting == 0) and (turn == '' or not waits or",
        ),
        SeededBug(
            "the last in the queue is the first out",
            "the queue is served in the order of its tickets",
            "passes by",
            "'ZRANGE', queue, seen, seen + look - 1" to "'ZREVRANGE', queue, seen, seen + look - 1",
        ),
        SeededBug(
            "whoever waits for several is passed by while one is free",
            "the head of the queue keeps what is free",
            "passes by",
            "if open and waiting == 0 and (turn" to "if open and (waiting == 0 or plain + heavy < permits) and (turn",
        ),
        SeededBug(
            "one permit too many",
            "no more is given than is free",
            "3 of 2 permits held",
            "math.min(permits - plain - heavy, count)" to "math.min(permits + 1 - plain - heavy, count)",
        ),
        SeededBug(
            "one permit too many, the short way",
            "no more is given than is free, when nobody waits",
            "3 of 2 permits held",
            "if plain <= ARGV[6] + 0" to "if plain <= ARGV[6] + 1",
        ),
        SeededBug(
            "the short way does not count what it gives",
            "what is given is counted in the same step",
            "3 of 2 permits held",
            "'plain', plain, 'clock', now,\n          'fence'" to "'plain', found[3], 'clock', now,\n          'fence'",
        ),
        SeededBug(
            "tokens by the second",
            "every token is larger than the last",
            "token not larger than",
            "math.max(fence + 1, micros)" to "math.floor(micros / 1000000) * 1000000",
        ),
        SeededBug(
            "a run's tokens are not reserved",
            "a run of grants takes a run of tokens",
            "token not larger than",
            "next_token = first + count\n  owner" to "next_token = first + 1\n  owner",
        ),
        SeededBug(
            "nobody is granted what comes back",
            "what is free is given on in the same step",
            "waits",
            "while open and left > 0 do" to "while now < 0 and left > 0 do",
        ),
        SeededBug(
            "a goodbye gives nothing on",
            "a goodbye gives on what it leaves",
            "waits",
            "while open and left > 0 do" to "while open and not goodbye and left > 0 do",
        ),
        SeededBug(
            "half a lease",
            "nobody is judged dead before the lease is over",
            "taken after",
            "if goodbye or wake <= now then" to "if true then",
            "sessions, '-inf', text(now), 'LIMIT', at_session" to "sessions, '-inf', text(now + 500), 'LIMIT', at_session",
        ),
        SeededBug(
            "the dead keep their permits",
            "the permits of a session end with it",
            "waits",
            "plain, gone = plain - (record.given - record.returned), gone" to "plain, gone = plain, gone",
        ),
        SeededBug(
            "what is said to be returned is added, not set",
            "words are totals, and may be said twice (a release is never forgotten, and counted once)",
            "of 2 permits held",
            "plain - (words.returned - me.returned)" to "plain - words.returned",
        ),
        SeededBug(
            "who is given a permit has not passed",
            "a gift is counted once, announced or answered (no surplus is kept)",
            "permits more than it has waiters",
            "owner.given + count, owner.passed + count, plain + count" to "owner.given + count, owner.passed, plain + count",
        ),
        SeededBug(
            "a turn that is worked off goes on",
            "a turn ends with its last waiter, and with its session",
            "waits",
            "if owner.passed >= owner.admitted and turn == owner.name then" to "if false then",
        ),
        SeededBug(
            "the turn may hand on what is not there any more",
            "after a resize the turn is told what it may not hand on",
            "may hand on all of them",
            "if holder and excess > 0 then" to "if false then",
        ),
        SeededBug(
            "a number is executed again",
            "an exchange is executed once (its number is never used again)",
            "executed after",
            "if number == me.number or number == me.number - 1 then" to "if number == me.number - 1 then",
        ),
        SeededBug(
            "a place that is given up stays in the queue",
            "a place that is given up is cut out of the queue",
            "passes by",
            "redis.call('ZREM', queue, runs[j])" to "",
        ),
    )
