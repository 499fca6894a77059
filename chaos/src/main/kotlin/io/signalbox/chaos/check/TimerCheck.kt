package io.signalbox.chaos.check

import io.signalbox.chaos.client.PERIOD
import io.signalbox.chaos.client.POISON_ATTEMPTS
import io.signalbox.chaos.client.Said
import io.signalbox.chaos.client.What

/** One time that a handler began. */
private class Going(
    val line: Said,
) {
    val version = line.a
    val due = line.b
    val attempt = line.c

    /** When it was claimed, by the server's clock in microseconds. */
    val token = line.d

    override fun toString() = "version $version attempt $attempt due $due claimed $token at ${line.nanos}"
}

/** Claims end at a whole millisecond of the server's clock. */
private const val CLAIM_MICROS = 2_000_000L - 1_000

/** H, timers: never early, never lost, not twice unless the claim had lapsed, not after a cancel or in an older version; poison is buried. */
internal fun timers(testimony: Testimony): List<Violation> {
    val goings = HashMap<String, MutableList<Going>>()
    val done = HashSet<Pair<String, Long>>()
    val settingsOf = HashMap<String, Int>()
    for (line in testimony.lives.flatMap { it.lines }) {
        if (line.what == What.HANDLING) goings.getOrPut(line.thing) { mutableListOf() } += Going(line)
        if (line.what == What.HANDLED) done += line.thing to line.a
        if (line.what == What.SCHEDULING && line.thing.endsWith("-again")) settingsOf.merge(line.thing, 1, Int::plus)
    }
    val violations = mutableListOf<Violation>()
    fun report(
        id: String,
        text: String,
        nanos: Long? = null,
    ) {
        violations += Violation('H', id, text, nanos)
    }
    for ((id, all) in goings) {
        all.sortBy { it.token }
        all.firstOrNull { it.token < it.due * 1000 }?.let { report(id, "early: $it", it.line.nanos) }
        // Under a bent clock a claim is as long as the clock says.
        val sameSetting = all.groupBy { it.version to it.due }.values
        if (!testimony.clockWasBent) {
            for ((one, two) in sameSetting.flatMap { it.zipWithNext() }.filter { it.first.token > testimony.lastLossMicros }) {
                val retried = two.attempt == one.attempt + 1 && failsOnPurpose(id, one)
                if (!retried && two.token - one.token < CLAIM_MICROS) report(id, "twice: $one, then $two", two.line.nanos)
            }
        }
        // A call that failed may have set another begin. What was claimed before the clock was set back, and handed back, runs at once, as if
        // somebody had wanted that, and keeps its own time.
        if (settingsOf[id] == 1 && !testimony.clockWasBent) {
            val dues = all.map { it.due }.distinct().sorted()
            dues.zipWithNext().firstOrNull { (a, b) ->
                (b - a) % PERIOD.inWholeMilliseconds != 0L
            }?.let { report(id, "not at its rate: $it") }
        }
    }
    for (life in testimony.lives) {
        violations += promises(testimony, life, goings, done)
    }
    return violations
}

/** Its handler throws: it may be tried again at once. */
private fun failsOnPurpose(
    id: String,
    going: Going,
) = id.startsWith("poison-") || going.attempt <= 2

/** What one client was promised of its timers. */
private fun promises(
    testimony: Testimony,
    life: Life,
    goings: Map<String, List<Going>>,
    done: Set<Pair<String, Long>>,
): List<Violation> {
    class Setting(
        var scheduled: Long = 0,
        var scheduling: Long = 0,
        var asked: Long = 0,
        var at: Long = 0,
        var micros: Long = 0,
        var cancelling: Boolean = false,
        var cancelAsked: Long = 0,
        var cancelledMicros: Long = 0,
    )
    val settings = HashMap<String, Setting>()
    for (line in life.lines) {
        when (line.what) {
            What.SCHEDULING ->
                settings.getOrPut(line.thing) { Setting() }.run {
                    scheduling = line.a
                    asked = line.nanos
                }
            What.SCHEDULED ->
                settings.getValue(line.thing).run {
                    scheduled = line.a
                    at = line.nanos
                    micros = line.b
                }
            What.CANCELLING ->
                settings.getOrPut(line.thing) { Setting() }.run {
                    cancelling = true
                    cancelAsked = line.nanos
                }
            What.CANCELLED -> if (line.a == 1L) settings.getValue(line.thing).cancelledMicros = line.b
            else -> Unit
        }
    }
    val lastLoss = testimony.lastLossNanos
    return settings.flatMap { (id, setting) ->
        val all = goings[id].orEmpty()
        val found = mutableListOf<String>()
        val isPoison = id.startsWith("poison-")
        if (setting.scheduled > 0 && setting.scheduled == setting.scheduling && !setting.cancelling && setting.asked > lastLoss) {
            if (isPoison) {
                if (id !in testimony.deadTimers) found += "poison that is not among the dead: $all"
                if (testimony.strikes.isEmpty() && all.size != POISON_ATTEMPTS) found += "poison handled ${all.size} times: $all"
            } else if (id to setting.scheduled !in done) {
                found += "lost: version ${setting.scheduled} was acknowledged at ${setting.at} and not handled; $all"
            }
        }
        if (isPoison && all.any { it.attempt > POISON_ATTEMPTS }) found += "poison handled once more: $all"
        if (!testimony.clockWasBent && !life.wasSkewed) {
            if (setting.cancelledMicros > 0 && setting.cancelAsked > lastLoss) {
                all.firstOrNull { it.token > setting.cancelledMicros }?.let {
                    found +=
                        "handled after it was cancelled at ${setting.cancelledMicros}: $it"
                }
            }
            if (setting.scheduled > 1 && setting.asked > lastLoss) {
                all.firstOrNull { it.version < setting.scheduled && it.token > setting.micros }?.let {
                    found += "handled though it was replaced at ${setting.micros}: $it"
                }
            }
        }
        found.map { Violation('H', id, it, setting.at) }
    }
}
