package io.signalbox.benchmarks.contender

/** A way of signalling: every [set] ends one [await], now or later. Both are awaited to the server's answer. */
internal interface Signals : AutoCloseable {
    suspend fun set()

    suspend fun await()

    /** Whether the server keeps a signal that nobody has taken. */
    suspend fun isSet(): Boolean
}

/** Who can signal. */
internal enum class SignalPeer(
    val title: String,
    val open: suspend (Arena) -> Signals,
) {
    EVENT("Signalbox event", { EventSignals.open(it) }),
    RAW_LIST("raw RPUSH+BLPOP", ::RawSignals),
}
