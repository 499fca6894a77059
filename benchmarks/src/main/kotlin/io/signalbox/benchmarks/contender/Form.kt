package io.signalbox.benchmarks.contender

/** How a contender's permit is given back. */
internal enum class Form {
    /** Acquire, and an explicit release that is awaited to the server's answer. */
    RELEASE,

    /** A block, whose end does not wait for the server where the contender can do without. */
    BLOCK,
}
