package io.signalbox.examples.demo

/** Knows whether the process is being ended from outside, as by Ctrl-C: then what breaks down on the way is no news. */
internal object Interruption {
    @Volatile
    var happened = false
        private set

    @Volatile
    private var watching = false

    fun watch() {
        watching = true
        val hook = Thread {
            happened = watching
            if (happened) System.err.println("\ndemo: interrupted")
        }
        Runtime.getRuntime().addShutdownHook(hook)
    }

    /** The process is about to end by itself. */
    fun forget() {
        watching = false
    }
}
