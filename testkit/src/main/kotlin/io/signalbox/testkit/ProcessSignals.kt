package io.signalbox.testkit

import java.nio.file.Path
import java.util.concurrent.TimeUnit
import kotlin.io.path.exists
import kotlin.io.path.readText

/** Ends the process and its children with SIGKILL, and waits until it is gone. A frozen process dies too. */
internal fun Process.killTree() {
    // The children's parent is not known any more once it is dead.
    val children = descendants().toList()
    destroyForcibly()
    children.forEach(ProcessHandle::destroyForcibly)
    waitFor()
}

/** Stops the process in its tracks with SIGSTOP; on return it does not run any more. */
internal fun Process.freeze() {
    signal("STOP")
    while (isRunning()) {
        Thread.onSpinWait()
    }
}

/** Lets a frozen process run on with SIGCONT. */
internal fun Process.thaw() {
    signal("CONT")
}

private fun Process.signal(name: String) {
    check(isAlive) { "Process ${pid()} is not running" }
    // kill is a builtin of every shell, but not a program on every machine.
    val kill = ProcessBuilder("/bin/sh", "-c", "kill -$name ${pid()}").redirectErrorStream(true).start()
    val output = kill.inputReader().use { it.readText() }
    val done = kill.waitFor(10, TimeUnit.SECONDS) && kill.exitValue() == 0
    check(done) { "kill -$name ${pid()} failed: $output" }
}

/** Whether any thread can still run. Known on Linux only; elsewhere the signal is taken as delivered at once. */
private fun Process.isRunning(): Boolean {
    val stat = Path.of("/proc/${pid()}/stat")
    if (!isAlive || !stat.exists()) return false
    // "pid (name) state ...": the name may hold spaces and parentheses itself.
    return stat.readText().substringAfterLast(')').trim().first() !in "TtZX"
}
