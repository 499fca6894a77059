package io.signalbox.internal.ledger

import io.signalbox.Observation

/** What a ledger keeps: things of different kinds never meet, whatever their names. */
internal enum class Kind(
    /** What users call it. */
    val word: String,
    /** What it is called in keys. */
    val tag: String,
    /** What observers are told that it is. */
    val observed: Observation.Kind,
) {
    SEMAPHORE("semaphore", "sem", Observation.Kind.SEMAPHORE),
    MUTEX("mutex", "mutex", Observation.Kind.MUTEX),
    EVENT("event", "event", Observation.Kind.EVENT),

    /** A semaphore by the pool algorithm: other keys, and no ledger on a server. */
    POOL("semaphore", "pool", Observation.Kind.SEMAPHORE),
}

internal data class LedgerName(
    val kind: Kind,
    val name: String,
) {
    /** At the beginning of a sentence. */
    val title: String get() = kind.word.replaceFirstChar { it.uppercase() } + " '$name'"

    override fun toString(): String = "${kind.word} '$name'"
}
