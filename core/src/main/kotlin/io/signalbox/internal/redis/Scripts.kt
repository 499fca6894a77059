package io.signalbox.internal.redis

/** The scripts of a semaphore. Tests replace the clock of those that read it, or have them keep an audit log, by [transform]. */
internal class Scripts(
    transform: (String) -> String = { it },
) {
    val open: Script = load("open", transform)
    val exchange: Script = load("exchange", transform)
    val snapshot: Script = load("snapshot", transform)
    val announce: Script = Script(read("announce"))

    private fun load(
        name: String,
        transform: (String) -> String,
    ) = Script(transform(read("common") + read(name)))

    private fun read(name: String): String =
        checkNotNull(Scripts::class.java.getResource("/io/signalbox/lua/$name.lua")) {
            "Script $name.lua is missing from the jar."
        }.readText()

    companion object {
        val production: Scripts = Scripts()
    }
}
