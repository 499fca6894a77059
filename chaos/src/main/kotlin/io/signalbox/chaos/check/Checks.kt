package io.signalbox.chaos.check

import io.signalbox.chaos.client.Bell
import io.signalbox.chaos.client.Prize
import io.signalbox.chaos.client.What
import io.signalbox.history.AuditCheck
import io.signalbox.history.Excess
import io.signalbox.history.excesses
import io.signalbox.history.grants
import io.signalbox.history.registerViolations

/** All checkers that need nothing but what was written down. The two about time and about the end, E and F, are in the act itself. */
internal fun check(testimony: Testimony): Findings {
    val audits =
        testimony.audit.mapValues { (title, events) ->
            val permits = Prize.entries.firstOrNull { it.title == title }?.permits ?: 0
            AuditCheck(title, permits, mayForget = testimony.losses.isNotEmpty()).replay(events).finish()
        }
    val bounds = Prize.entries.map { bound(testimony, it) }
    val violations =
        audits.flatMap { (title, check) -> check.violations.map { Violation('A', title, it) } } +
            bounds.flatMap { it.violations } +
            Prize.entries.flatMap { owners(testimony, it, audits[it.title]) } +
            Prize.entries.filter { it.isPool }.flatMap { poolTokens(testimony, it) } +
            Prize.entries.filter { it.isFenced }.flatMap { register(testimony, it) } +
            Bell.entries.flatMap { signals(testimony, it) } +
            timers(testimony) +
            unexpected(testimony)
    return Findings(violations, bounds.sumOf { it.extras })
}

/** B and D: never too many holders, and starts in the order of their tokens, by what the holders saw. */
private fun bound(
    testimony: Testimony,
    prize: Prize,
): Findings {
    val intervals = testimony.intervals(prize)
    val overlaps = excesses(prize.permits, intervals)
    val overtakings = if (prize.isPool) emptyList() else excesses(prize.permits, grants(intervals))
    val (excused, wrong) = overlaps.partition { testimony.isExcused(it.at) && it.held <= 2 * prize.permits }
    return Findings(
        wrong.map { violation('B', prize, it, "permits were held") } +
            overtakings.filter { !testimony.isExcused(it.at) }.map { violation('D', prize, it, "grants there were by their tokens") },
        excused.size,
    )
}

private fun violation(
    checker: Char,
    prize: Prize,
    excess: Excess,
    what: String,
) = Violation(
    checker,
    prize.title,
    "${excess.held} of ${prize.permits} $what at ${excess.at}: ${excess.open.takeLast(12).joinToString()}",
    excess.at,
)

/** C: no token is held by two, and whoever holds one was granted it. */
private fun owners(
    testimony: Testimony,
    prize: Prize,
    audit: AuditCheck?,
): List<Violation> {
    val intervals = testimony.intervals(prize)
    val twice =
        intervals.groupBy { it.token }.filter { it.value.size > 1 }.map { (token, holders) ->
            Violation('C', prize.title, "token $token was held by ${holders.joinToString()}", holders.last().begin)
        }
    if (audit == null || testimony.losses.isNotEmpty()) return twice
    return twice +
        intervals.filter { audit.ownerOf(it.token) != it.holder }.map {
            Violation('C', prize.title, "$it, which was granted to ${audit.ownerOf(it.token)}", it.begin)
        }
}

/** C: nobody has overwritten what he had not read. */
private fun register(
    testimony: Testimony,
    prize: Prize,
) = registerViolations(prize.title, testimony.registers.getValue(prize.title)).map { Violation('C', prize.title, it) }

/** C: a token of a pool is larger than all that somebody was told before its acquire began. */
private fun poolTokens(
    testimony: Testimony,
    prize: Prize,
): List<Violation> {
    val violations = mutableListOf<Violation>()
    val lines =
        testimony.lives.flatMap { life ->
            life.lines.filter { it.thing == prize.title }.map { life.label to it }
        }.sortedBy { it.second.nanos }
    val askedAt = HashMap<String, Long>()
    val seen = HashSet<Long>()
    var told = 0L
    for ((label, line) in lines) {
        val who = "$label/${line.worker}"
        when (line.what) {
            What.ASKING -> askedAt[who] = told
            What.HELD, What.HOLDING -> {
                val before = askedAt[who] ?: 0
                if (seen.add(line.b) && line.b <= before) {
                    violations +=
                        Violation('C', prize.title, "$who got token ${line.b} though $before had been told before it asked", line.nanos)
                }
                told = maxOf(told, line.b)
            }
            else -> Unit
        }
    }
    return violations
}

/** Exceptions that the library promises to nobody. */
private fun unexpected(testimony: Testimony): List<Violation> =
    testimony.lives.flatMap { life ->
        life.lines.filter { it.what == What.UNEXPECTED }.map { Violation('X', it.thing, "${life.label}: $it", it.nanos) }
    }
