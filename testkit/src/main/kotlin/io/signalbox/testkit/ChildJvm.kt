package io.signalbox.testkit

import java.io.BufferedReader
import java.io.IOException
import java.nio.file.Path
import java.time.Duration
import java.util.concurrent.BlockingQueue
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import java.util.function.Consumer
import kotlin.concurrent.thread

/**
 * Another JVM with this JVM's class path and module path, for tests of what processes do to each other and of what is left when one dies.
 *
 * The child tells the test how far it is by printing lines ([awaitLine]); the test can answer on its standard input
 * ([send]). It dies with this JVM at the latest. Thread-safe.
 */
public class ChildJvm private constructor(
    private val name: String,
    private val process: Process,
    onLine: Consumer<String>?,
) : AutoCloseable {
    /**
     * The lines that the child has printed on its standard output and nobody has taken yet.
     *
     * [awaitLine] takes from here too.
     */
    public val lines: BlockingQueue<String> = LinkedBlockingQueue()

    private val transcript = StringBuffer()

    private val outputReader = process.inputReader().forEachLineInBackground { line ->
        transcript.appendLine(line)
        onLine?.accept(line)
        lines.put(line)
    }

    private val errorReader = process.errorReader().forEachLineInBackground { transcript.appendLine(it) }

    init {
        Leftovers.add(this)
    }

    /** The child's process id. */
    public val pid: Long get() = process.pid()

    /** Whether there is a child process, be it a frozen one. */
    public val isAlive: Boolean get() = process.isAlive

    /** All that the child has printed so far, on its standard output and its standard error. */
    public fun output(): String = transcript.toString()

    /**
     * Takes lines until one has [text] in it, and returns that one. Blocks.
     *
     * @throws IllegalStateException if there is none within [timeout] or before the child ends; the message has its output
     */
    @JvmOverloads
    public fun awaitLine(text: String = "", timeout: Duration = DEFAULT_TIMEOUT): String {
        val deadline = System.nanoTime() + timeout.nanosAtMost()
        while (true) {
            val ended = !outputReader.isAlive
            val line = lines.poll(if (ended) 0 else POLL_MILLIS, TimeUnit.MILLISECONDS)
            when {
                line != null -> if (text in line) return line
                ended -> fail("ended without printing a line with '$text'")
                System.nanoTime() > deadline -> fail("printed no line with '$text' within $timeout")
            }
        }
    }

    /** Sends a line to the child's standard input. */
    public fun send(line: String) {
        process.outputStream.apply {
            write("$line\n".toByteArray())
            flush()
        }
    }

    /** Ends the child with SIGKILL, so that none of its clean-up runs. On return it is dead. */
    public fun kill() {
        process.killTree()
    }

    /** Stops the child in its tracks with SIGSTOP, as a long garbage collection or a paused machine would. */
    public fun freeze() {
        process.freeze()
    }

    /** Lets a frozen child go on. */
    public fun thaw() {
        process.thaw()
    }

    /**
     * Waits until the child has ended by itself, or from a signal, and returns its exit code.
     *
     * @throws IllegalStateException if it still runs after [timeout]; the message has its output
     */
    @JvmOverloads
    public fun waitFor(timeout: Duration = DEFAULT_TIMEOUT): Int {
        if (!process.waitFor(timeout.nanosAtMost(), TimeUnit.NANOSECONDS)) fail("still runs after $timeout")
        listOf(outputReader, errorReader).forEach(Thread::join)
        return process.exitValue()
    }

    /** Kills the child if it still runs. */
    override fun close() {
        kill()
        Leftovers.remove(this)
    }

    private fun fail(problem: String): Nothing = error("The child JVM $name ($pid) $problem. Its output:\n${output()}")

    private fun BufferedReader.forEachLineInBackground(action: (String) -> Unit) = thread(isDaemon = true, name = "child-jvm-$pid") {
        try {
            forEachLine(action)
        } catch (_: IOException) {
            // The pipe broke with the process.
        }
    }

    public companion object {
        private val DEFAULT_TIMEOUT = Duration.ofSeconds(60)
        private const val POLL_MILLIS = 10L

        /**
         * Runs the `main` function of a class, for top-level Kotlin functions the one named after the file (`WorkerKt`).
         *
         * @param arguments the arguments of `main`
         * @param jvmOptions options of the JVM, such as `-Xmx64m`
         * @param environment environment variables, in addition to those of this JVM
         * @param onLine is called with each line that the child prints on its standard output, by the thread that reads it
         */
        @JvmStatic
        @JvmOverloads
        public fun start(
            mainClass: String,
            arguments: List<String> = emptyList(),
            jvmOptions: List<String> = listOf("-Xmx256m"),
            environment: Map<String, String> = emptyMap(),
            onLine: Consumer<String>? = null,
        ): ChildJvm {
            val java = Path.of(System.getProperty("java.home"), "bin", "java")
            val command = listOf("$java") + jvmOptions + program(mainClass) + arguments
            val process = ProcessBuilder(command).apply { environment() += environment }.start()
            return ChildJvm(mainClass, process, onLine)
        }

        /** The options that find what this JVM finds, and [mainClass] in its module if it has one. */
        private fun program(mainClass: String): List<String> {
            val classPath = System.getProperty("java.class.path").orEmpty()
            val modulePath = System.getProperty("jdk.module.path").orEmpty()
            val module = ModuleLayer.boot().modules().find { mainClass.substringBeforeLast('.', "") in it.packages }
            return buildList {
                if (classPath.isNotEmpty()) addAll(listOf("-cp", classPath))
                if (modulePath.isNotEmpty()) addAll(listOf("-p", modulePath))
                if (modulePath.isNotEmpty() && module == null) addAll(listOf("--add-modules", "ALL-MODULE-PATH"))
                if (module == null) add(mainClass) else addAll(listOf("-m", "${module.name}/$mainClass"))
            }
        }
    }
}
