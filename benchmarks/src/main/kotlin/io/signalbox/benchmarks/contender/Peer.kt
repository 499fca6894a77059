package io.signalbox.benchmarks.contender

import io.signalbox.SemaphoreAlgorithm

/** Everybody who can be measured. */
internal enum class Peer(
    val title: String,
    val open: suspend (Arena) -> Contender,
) {
    SIGNALBOX("Signalbox", { SignalboxContender.open(it) }),
    SIGNALBOX_POOL("Signalbox pool", { SignalboxContender.open(it) { algorithm = SemaphoreAlgorithm.Pool() } }),
    SIGNALBOX_JAVA("Signalbox for Java", { JavaContender.open(it) }),
    RAW_LIST("raw LPOP+RPUSH", ::RawListContender),
    NO_OP_SCRIPT("no-op EVALSHA", ::NoOpScriptContender),
    BLPOP_POOL("BLPOP pool", ::BlpopPoolContender),
    REDISSON_SEMAPHORE("Redisson RSemaphore", ::RedissonSemaphoreContender),
    REDISSON_PERMIT("Redisson RPermitExpirableSemaphore", ::RedissonPermitContender),
    LOCAL("kotlinx.coroutines Semaphore", ::LocalContender),
}
