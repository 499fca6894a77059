package io.signalbox.chaos.bug

import io.signalbox.history.SEEDED_BUGS
import io.signalbox.history.SeededBug
import io.signalbox.history.auditedScripts
import io.signalbox.internal.redis.Scripts

/** No bug: production as it is. */
internal const val NO_BUG = "-"

/** Bugs that need faults to be found, or more than one kind of thing; what the checkers say of them is in [SeededBug.finding]. */
private val CHAOS_BUGS =
    listOf(
        SeededBug(
            "the lapsed speak",
            "a session that is over executes nothing any more",
            "silent for a lease",
            "if not me or (me.deadline <= now and not goodbye) then" to "if not me then",
        ),
        SeededBug(
            "the lapsed are given to",
            "nothing is given to a session that is over",
            "silent for a lease",
            "if found and found.deadline > now then" to "if found then",
        ),
        SeededBug(
            "more is put back than there is",
            "after a loss no more is put back than there is",
            "permits held",
            "local width = math.max(0, math.min(tonumber(ARGV[12]), permits - plain - heavy))" to "local width = tonumber(ARGV[12])",
        ),
        SeededBug(
            "a signal that is used up stays",
            "a signal ends one await",
            "doubled",
            "math.max(0, permits - used)\n" to "permits\n",
        ),
        SeededBug(
            "a signal that was set is answered, and not kept",
            "a signal that was set is kept",
            "lost",
            "ticket, permits = ticket + 1, permits + 1" to "ticket, permits = ticket + 1, permits + (ticket % 50 == 0 and 0 or 1)",
        ),
        SeededBug(
            "half a hold",
            "a hold ends when its limit is over, not before",
            "before its hold is over",
            "limiting[#limiting + 1] = text(now + hold)" to "limiting[#limiting + 1] = text(now + hold / 2)",
        ),
        SeededBug(
            "a place is given up by its number alone",
            "a withdrawal names its session and its place",
            "is not there",
            "if owner == session and from <= to and begins - begin == sequence - first then" to "if from <= to then",
        ),
        SeededBug(
            "an opening that is repeated renews nothing",
            "an opening that is repeated renews its session (leases count from the attempt that was answered)",
            "at the end",
            "  mine.deadline = now + lease\nelse" to "  mine.deadline = now\nelse",
        ),
        SeededBug(
            "a release is forgotten when others wait",
            "a release is never forgotten",
            "not idle",
            "plain, permits = plain - (words.returned - me.returned)" to
                "plain, permits = plain - (stored[13] ~= '0' and 0 or words.returned - me.returned)",
        ),
        SeededBug(
            "a goodbye leaves its permits behind",
            "a goodbye ends its session at once",
            "at the end",
            "if goodbye or wake <= now then" to "if wake <= now then",
        ),
        SeededBug(
            "the clock steps back",
            "the clock of a semaphore never steps back",
            "",
            "    offset = offset + last - now\n    now = last\n" to "",
        ),
        SeededBug(
            "tokens are counted anew",
            "tokens follow the server's clock, also after a loss",
            "token",
            "math.max(fence + 1, micros)" to "fence + 1",
            "math.max(tonumber(stored[8]) or 0, floor)" to "(tonumber(stored[8]) or 0)",
        ),
    )

private fun slug(name: String) = name.filter { it !in ",'" }.replace(' ', '-')

private val SCRIPTS: Map<String, SeededBug> = (SEEDED_BUGS + CHAOS_BUGS).associateBy { slug(it.name) }
private val TIMERS: Map<String, TimerBug> = TIMER_BUGS.associateBy { slug(it.name) }
private val CLIENTS: Map<String, ClientBug> = CLIENT_BUGS.associateBy { slug(it.name) }

/** The names of all that can be seeded, without blanks, and the rule or the fix that each undoes. */
internal val BUGS: Map<String, String> =
    SCRIPTS.mapValues { it.value.undoes } + TIMERS.mapValues { it.value.undoes } + CLIENTS.mapValues { it.value.undoes }

/** The scripts that the clients of a run use. */
internal fun scriptsWith(bug: String): Scripts = SCRIPTS[bug]?.scripts() ?: auditedScripts

/** What else their JVMs are started with. */
internal fun jvmOptionsFor(bug: String): List<String> =
    TIMERS[bug]?.jvmOptions().orEmpty() + if (bug in CLIENTS) ClientBug.JVM_OPTIONS else emptyList()

/** Spoils the classes of this JVM, if that is where the bug is. */
internal fun spoil(bug: String) {
    CLIENTS[bug]?.spoil()
}
