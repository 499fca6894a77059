package io.signalbox.internal.ledger

/** What a ledger keeps: things of different kinds never meet, whatever their names. */
internal enum class Kind(
    /** What users call it. */
    val word: String,
    /** What it is called in keys. */
    val tag: String,
) {
    SEMAPHORE("semaphore", "sem"),
    MUTEX("mutex", "mutex"),
    EVENT("event", "event"),
}

internal data class LedgerName(
    val kind: Kind,
    val name: String,
) {
    /** At the beginning of a sentence. */
    val title: String get() = kind.word.replaceFirstChar { it.uppercase() } + " '$name'"

    override fun toString(): String = "${kind.word} '$name'"
}
