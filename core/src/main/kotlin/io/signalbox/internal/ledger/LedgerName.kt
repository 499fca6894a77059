package io.signalbox.internal.ledger

import io.signalbox.InternalSignalboxApi
import io.signalbox.Observation

/** What a ledger keeps: things of different kinds never meet, whatever their names. */
@InternalSignalboxApi
public enum class Kind(
    /** What users call it. */
    internal val word: String,
    /** What it is called in keys. */
    public val tag: String,
    /** What observers are told that it is. */
    internal val observed: Observation.Kind,
) {
    SEMAPHORE("semaphore", "sem", Observation.Kind.SEMAPHORE),
    MUTEX("mutex", "mutex", Observation.Kind.MUTEX),
    EVENT("event", "event", Observation.Kind.EVENT),

    /** A semaphore by the pool algorithm: other keys, and no ledger on a server. */
    POOL("semaphore", "pool", Observation.Kind.SEMAPHORE),
}

@InternalSignalboxApi
public data class LedgerName(
    public val kind: Kind,
    public val name: String,
) {
    /** At the beginning of a sentence. */
    public val title: String get() = kind.word.replaceFirstChar { it.uppercase() } + " '$name'"

    /** Where a backend keeps it, once that was worked out: whoever has the name has that too. */
    @Volatile
    @JvmField
    internal var keys: List<ByteArray>? = null

    override fun toString(): String = "${kind.word} '$name'"
}
