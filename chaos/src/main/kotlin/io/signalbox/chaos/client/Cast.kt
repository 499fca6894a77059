package io.signalbox.chaos.client

import io.signalbox.internal.ledger.Kind
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** What all clients fight for: semaphores and mutexes. [workers] coroutines in each client do nothing else. */
internal enum class Prize(
    val permits: Int,
    val workers: Int,
    val kind: Kind? = Kind.SEMAPHORE,
    /** How many permits at once some acquires want. */
    val heaviest: Int = 1,
    val maxHold: Duration = Duration.INFINITE,
    /** Somebody changes the count now and then, to 1 at least, never to more than [permits]. */
    val elastic: Boolean = false,
) {
    ONE(permits = 1, workers = 6),
    TWO(permits = 2, workers = 8),
    SEVEN(permits = 7, workers = 16, heaviest = 3),
    HUNDRED(permits = 100, workers = 40),
    LIMITED(permits = 3, workers = 8, maxHold = 400.milliseconds),
    ELASTIC(permits = 4, workers = 10, elastic = true),
    DOOR(permits = 1, workers = 6, kind = Kind.MUTEX),
    GATE(permits = 1, workers = 4, kind = Kind.MUTEX, maxHold = 600.milliseconds),
    POND(permits = 1, workers = 4, kind = null),
    POOL(permits = 5, workers = 12, kind = null, heaviest = 2),
    ;

    /** As the library calls it. */
    val title: String get() = name.lowercase()

    /** Pools keep no audit log and promise no order. */
    val isPool: Boolean get() = kind == null

    /** Whether it protects a fenced register. */
    val isFenced: Boolean get() = this == ONE || this == DOOR || this == POND
}

/** Events: some coroutines set them, some await them. */
internal enum class Bell(
    val setters: Int,
    val awaiters: Int,
) {
    BELL(setters = 4, awaiters = 6),
    SIREN(setters = 6, awaiters = 4),
    ;

    val title: String get() = name.lowercase()
}
