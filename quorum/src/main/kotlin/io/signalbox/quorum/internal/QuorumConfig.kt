package io.signalbox.quorum.internal

import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.quorum.MasterErrors
import io.signalbox.quorum.QuorumSettings
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** The settings as they are used. */
internal class QuorumConfig(
    settings: QuorumSettings,
) {
    val namespace: String = requireName("namespace", settings.namespace, MAX_NAMESPACE_BYTES)
    val leaseMillis: Long = wholeMillis("lease", settings.lease, 1.days, least = 100.milliseconds)
    val longestMillis: Long =
        settings.longestLease?.let { wholeMillis("longestLease", it, 1.days, least = 100.milliseconds) } ?: leaseMillis
    val storeTimeoutMillis: Long = wholeMillis("storeTimeout", settings.storeTimeout, 365.days, least = 10.milliseconds)
    val retentionMillis: Long = maxOf(3 * longestMillis, LEAST_RETENTION.inWholeMilliseconds)
    val isStrict: Boolean = settings.onMasterError == MasterErrors.THROW
    val label: String? = settings.label

    init {
        require(leaseMillis <= longestMillis) {
            "lease must be at most longestLease, ${longestMillis.milliseconds}, but was ${leaseMillis.milliseconds}: a " +
                "master that lost its data " +
                "waits for the longest lease before it votes, and a longer one might still hold."
        }
    }

    companion object {
        private const val MAX_NAMESPACE_BYTES = 64

        /** How long the keys of a semaphore that is not used stay: what they say of the order of grants is made up for by the clock then. */
        private val LEAST_RETENTION = 300.seconds

        fun requireMasters(count: Int) {
            require(count in listOf(3, 5, 7)) {
                "A quorum needs 3, 5 or 7 masters, but has $count. " +
                    when {
                        count < 3 -> "With fewer than 3 no majority is left when one is down: use Signalbox.connect() with one server."
                        count % 2 == 0 -> "An even one adds a server that can fail, and none that may: ${count - 1} survive as many."
                        else -> "More than 7 make each acquire slower, and are never all needed."
                    }
            }
        }
    }
}
