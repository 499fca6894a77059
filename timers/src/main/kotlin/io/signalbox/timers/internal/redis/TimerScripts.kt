package io.signalbox.timers.internal.redis

import io.signalbox.internal.redis.Script

/** The scripts. Tests replace the clock of those that read it by [transform]. */
internal class TimerScripts(
    transform: (String) -> String = { it },
) {
    val write: Script = Script(transform(read("common") + read("write")))
    val turn: Script = Script(transform(read("common") + read("turn")))
    val get: Script = Script(read("get"))
    val list: Script = Script(read("list"))
    val handled: Script = Script(transform(read("handled")))
    val shards: Script = Script(read("shards"))
    val announce: Script = Script(read("announce"))

    private fun read(name: String): String =
        checkNotNull(TimerScripts::class.java.getResource("/io/signalbox/timers/lua/$name.lua")) {
            "Script $name.lua is missing from the jar."
        }.readText()

    companion object {
        val production: TimerScripts = TimerScripts()
    }
}
