package io.signalbox.benchmarks.contender

import io.signalbox.SemaphoreAlgorithm

/** Everybody who can be measured; [inBlock] says what is different in the block form, where it is measured. */
internal enum class Peer(
    private val title: String,
    private val inBlock: String,
    val open: suspend (Arena) -> Contender,
) {
    SIGNALBOX("Signalbox", ", withPermit", { SignalboxContender.open(it) }),
    SIGNALBOX_CLUSTER("Signalbox on a cluster of three", ", withPermit", { SignalboxContender.openOnCluster(it) }),
    SIGNALBOX_POOL("Signalbox pool", ", withPermit", { SignalboxContender.open(it, SemaphoreAlgorithm.Pool()) }),
    SIGNALBOX_JAVA("Signalbox for Java, futures", ", closed", { JavaContender.open(it) }),
    SIGNALBOX_BLOCKING("Signalbox for Java, blocking", ", closed", { BlockingContender.open(it) }),
    SIGNALBOX_QUORUM("Signalbox on three masters", ", withLock", { QuorumContender.open(it) }),
    RAW_LIST("raw LPOP+RPUSH", ", RPUSH not awaited", ::RawListContender),
    NO_OP_SCRIPT("no-op EVALSHA", ", in a block", { NoOpScriptContender.open(it) }),
    BLPOP_POOL("BLPOP pool", ", RPUSH not awaited", ::BlpopPoolContender),
    REDISSON_SEMAPHORE("Redisson RSemaphore", ", in a block", ::RedissonSemaphoreContender),
    REDISSON_PERMIT("Redisson RPermitExpirableSemaphore", ", in a block", ::RedissonPermitContender),
    REDISSON_RED_LOCK("Redisson RedissonRedLock", ", in a block", ::RedissonRedLockContender),
    LOCAL("kotlinx.coroutines Semaphore", ", in a block", ::LocalContender),
    ;

    fun title(form: Form = Form.RELEASE): String = if (form == Form.RELEASE) title else title + inBlock
}
