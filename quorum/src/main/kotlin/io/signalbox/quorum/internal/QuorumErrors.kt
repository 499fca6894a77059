package io.signalbox.quorum.internal

import io.signalbox.AcquireTimeoutException
import io.signalbox.PermitsMismatchException
import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.ledger.LedgerName
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** What goes wrong at [subject], in words that say what to do. */
internal class QuorumErrors(
    private val subject: LedgerName,
    private val config: QuorumConfig,
    private val titles: List<String>,
) {
    private val majority = titles.size / 2 + 1

    fun closed() = SignalboxClosedException("This client was closed; $subject can no longer be used through it.")

    fun unconfirmed() =
        SignalboxClosedException(
            "This client was closed before a majority of the masters confirmed the release of a permit of $subject. It is " +
                "free again when " +
                "the lease ends, at the latest.",
        )

    fun timeout(limit: Duration) =
        AcquireTimeoutException(
            subject.name,
            "No permit of $subject was granted within $limit. See snapshot() for who holds and who waits.",
        )

    /** [problems] are the last of each master, where it has one. */
    fun unavailable(problems: List<Throwable?>): StoreUnavailableException {
        val away = problems.withIndex().filter { it.value != null }
        val reasons = away.joinToString("; ") { (master, problem) -> "${titles[master]}: ${inShort(problem!!)}" }
        return StoreUnavailableException(
            "Of ${titles.size} masters $majority must answer for $subject, and they did not within " +
                "${config.storeTimeoutMillis.milliseconds}. What was asked may have been carried out by some; it is " +
                "undone, or ends with its " +
                "lease. Check that the servers are reachable. ${reasons.ifEmpty { "No answer of any kind." }}",
            away.firstOrNull()?.value,
        )
    }

    /** With [MasterErrors.THROW][io.signalbox.quorum.MasterErrors.THROW]. */
    fun oneFailed(
        problem: Throwable,
        problems: List<Throwable?>,
    ): StoreUnavailableException {
        val master = problems.indexOfFirst { it === problem }.let { if (it < 0) "One of the masters" else titles[it] }
        return StoreUnavailableException(
            "$master did not answer for $subject, which is to be told (onMasterError = THROW): ${inShort(problem)}. What " +
                "was granted is given " +
                "back. With MasterErrors.IGNORE a majority would do.",
            problem,
        )
    }

    fun mismatch(
        requested: Int,
        declared: Int,
    ) = PermitsMismatchException(
        subject.name,
        requested,
        declared,
        "${subject.title} was created with $declared permits, not $requested. Use the same count everywhere, or resize() " +
            "to change the current " +
            "count.",
    )

    fun longest(agreedMillis: Long) =
        IllegalArgumentException(
            "The masters were told that the longest lease is ${agreedMillis.milliseconds}, and this client says " +
                "${config.longestMillis.milliseconds}. All clients of a namespace must give the same longestLease, " +
                "because a master that lost its " +
                "data waits for so long. Change it in all of them at once, together with the namespace.",
        )

    fun sameServer(
        first: Int,
        second: Int,
    ) = IllegalArgumentException(
        "${titles[first]} and ${titles[second]} are the same server. Its vote would count twice: give the addresses of independent ones.",
    )

    private fun inShort(problem: Throwable) = (problem.message ?: problem.javaClass.simpleName).take(200).trimEnd('.')
}
