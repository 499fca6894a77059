package io.signalbox.internal

import io.signalbox.TooManyWaitersException
import io.signalbox.internal.ledger.LedgerName
import java.util.concurrent.atomic.AtomicInteger

/** How many may wait, and how many do. */
internal class WaiterBound(
    private val most: Int,
    private val setting: String,
) {
    private val count = AtomicInteger()

    fun enter(subject: LedgerName) {
        if (count.incrementAndGet() <= most) return
        count.decrementAndGet()
        throw TooManyWaitersException(
            subject.name,
            most,
            "Too many wait for ${subject.kind.word} '${subject.name}' or on their way to it: $setting is $most. Shed load, or raise it.",
        )
    }

    fun leave() {
        count.decrementAndGet()
    }
}

/** The bounds that a handle's acquires keep to: its own, and its client's. There is none of this where there are no limits. */
internal class WaiterBounds private constructor(
    private val own: WaiterBound?,
    private val client: WaiterBound?,
) {
    /** Runs [request] as one that waits, unless that are too many. A try counts for the client only. */
    suspend fun <T> within(
        subject: LedgerName,
        waits: Boolean,
        request: suspend () -> T,
    ): T {
        client?.enter(subject)
        try {
            if (own == null || !waits) return request()
            own.enter(subject)
            try {
                return request()
            } finally {
                own.leave()
            }
        } finally {
            client?.leave()
        }
    }

    companion object {
        fun of(
            most: Int,
            client: WaiterBound?,
        ): WaiterBounds? {
            val own = if (most == Int.MAX_VALUE) null else WaiterBound(most, "maxWaiters of this handle")
            return if (own == null && client == null) null else WaiterBounds(own, client)
        }

        /** A client's; `null` without a limit. */
        fun ofClient(most: Int): WaiterBound? {
            SemaphoreHandles.requireBound(most)
            return if (most == Int.MAX_VALUE) null else WaiterBound(most, "maxWaiters of this client")
        }
    }
}
