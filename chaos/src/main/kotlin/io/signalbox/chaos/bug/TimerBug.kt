package io.signalbox.chaos.bug

import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.createDirectories
import kotlin.io.path.writeText

/** A bug put into a script of timers, for a process of its own: its JVM finds the spoilt script before the right one. */
internal class TimerBug(
    val name: String,
    /** The rule that it takes away. */
    val undoes: String,
    private val script: String,
    /** What is right, and the wrong that takes its place. */
    private vararg val changes: Pair<String, String>,
) {
    /** What the JVM must be started with. */
    fun jvmOptions(): List<String> {
        val directory = Files.createTempDirectory("signalbox-bug-").also { it.toFile().deleteOnExit() }
        val resource = "io/signalbox/timers/lua/$script.lua"
        val right = checkNotNull(javaClass.classLoader.getResource(resource)) { "$resource is missing" }.readText()
        val spoilt =
            changes.fold(right) { text, (good, bad) ->
                check(good in text) { "Not in $resource any more: $good" }
                text.replace(good, bad)
            }
        val file: Path = directory.resolve(resource)
        file.parent.createDirectories()
        file.writeText(spoilt)
        return listOf("-Xbootclasspath/a:$directory")
    }
}

private const val MINE = "if mark and string.sub(mark, 1, length) == prefix then"

internal val TIMER_BUGS: List<TimerBug> =
    listOf(
        TimerBug(
            "timers early",
            "nothing is claimed before it is due",
            "turn",
            "math.min(horizon, now) or now) + 1" to "math.min(horizon, now) or now) + 200",
        ),
        TimerBug(
            "timers settled by whoever says so",
            "only who has claimed a timer settles it",
            "turn",
            MINE to "if mark then",
        ),
        TimerBug(
            "timers acknowledged and kept",
            "what is acknowledged is gone",
            "turn",
            // All three: an id without a record is taken off the timeline, and a record without an id is never looked at.
            "        redis.call('ZREM', due, unpack(ids))\n        redis.call('HDEL', payloads, unpack(ids))\n" +
                "        redis.call('HDEL', marks, unpack(ids))\n      elseif kind == 's'" to "      elseif kind == 's'",
        ),
        TimerBug(
            "timers claimed for ever",
            "a claim lapses with its lease",
            "turn",
            "score(now + lease)" to "score(now + 1000 * lease)",
        ),
        TimerBug(
            "timers claimed for a moment",
            "a claim is nobody else's within its lease",
            "turn",
            "score(now + lease)" to "score(now + 20)",
        ),
        TimerBug(
            "timers tried without being counted",
            "every attempt is counted",
            "turn",
            "text((before or 0) + 1)" to "text(before or 1)",
        ),
        TimerBug(
            "timers retried and forgotten",
            "what failed is due again",
            "turn",
            "        call('ZADD', due, scores)\n        call('HSET', marks, written)" to
                "        call('HSET', marks, written)\n        redis.call('ZREM', due, unpack(ids))",
        ),
    )
