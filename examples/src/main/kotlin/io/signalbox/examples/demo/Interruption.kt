package io.signalbox.examples.demo

/** Knows whether the process is being ended from outside, as by Ctrl-C: then what breaks down on the way is no news. */
internal object Interruption {
    @Volatile
    var happened = false
        private set

    @Volatile
    private var watching = false

    /** What has to be done to the terminal before the process may end. */
    @Volatile
    var restoreTerminal: () -> Unit = {}

    fun watch() {
        watching = true
        val hook = Thread {
            happened = watching
            if (happened) {
                restoreTerminal()
                System.err.println("\ndemo: interrupted")
            }
        }
        Runtime.getRuntime().addShutdownHook(hook)
    }

    /** The process is about to end by itself. */
    fun forget() {
        watching = false
    }
}
