package io.signalbox.quorum.internal

import io.signalbox.Signalbox
import io.signalbox.internal.BackendOwner
import io.signalbox.internal.ClosesWithClient
import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.quorum.QuorumMutex
import io.signalbox.quorum.QuorumMutexSettings
import io.signalbox.quorum.QuorumSemaphore
import io.signalbox.quorum.QuorumSemaphoreSettings
import io.signalbox.quorum.SignalboxQuorum
import io.signalbox.quorum.internal.master.Answer
import io.signalbox.quorum.internal.master.Master
import io.signalbox.quorum.internal.master.Request
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.Executor
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull

/**
 * The one [SignalboxQuorum]. It is built on ordinary clients, one for each server, of which it uses the connections and the first one's time: they
 * close when its goodbye is over.
 */
internal class DefaultSignalboxQuorum(
    private val hosts: List<Signalbox>,
    private val members: List<Master>,
    private val config: QuorumConfig,
    private val elsewhere: Executor,
) : SignalboxQuorum,
    ClosesWithClient {
    private val host = hosts[0] as BackendOwner
    private val backend = QuorumBackend(host, members.map { it.title })

    private class Handle(
        val semaphore: DefaultQuorumSemaphore,
        val settings: String,
    ) {
        val mutex = DefaultQuorumMutex(semaphore)
    }

    private val handles = ConcurrentHashMap<LedgerName, Handle>()
    private val creation = Mutex()
    private val number = AtomicInteger()
    private var isPrepared = false

    init {
        for (host in hosts) (host as BackendOwner).closeWithClient(this)
    }

    override val masters: Int get() = members.size

    override suspend fun semaphore(
        name: String,
        permits: Int,
        configure: QuorumSemaphoreSettings.() -> Unit,
    ): QuorumSemaphore {
        DefaultQuorumSemaphore.requireCount(permits)
        val timeout = QuorumSemaphoreSettings().apply(configure).acquireTimeout
        if (timeout.isFinite()) wholeMillis("acquireTimeout", timeout, Duration.INFINITE)
        return handle(LedgerName(Kind.SEMAPHORE, requireName("name", name, MOST_BYTES)), permits, timeout).semaphore
    }

    override suspend fun mutex(
        name: String,
        configure: QuorumMutexSettings.() -> Unit,
    ): QuorumMutex {
        val timeout = QuorumMutexSettings().apply(configure).lockTimeout
        if (timeout.isFinite()) wholeMillis("lockTimeout", timeout, Duration.INFINITE)
        return handle(LedgerName(Kind.MUTEX, requireName("name", name, MOST_BYTES)), 1, timeout).mutex
    }

    private suspend fun handle(
        subject: LedgerName,
        permits: Int,
        timeout: Duration,
    ): Handle =
        backend.untilClosed {
            val wanted = "permits = $permits and a time limit of ${if (timeout.isInfinite()) "none" else timeout}"
            val handle = handles[subject] ?: creation.withLock { handles[subject] ?: opened(subject, permits, timeout, wanted) }
            require(handle.settings == wanted) {
                "${subject.title} is already in use in this client with ${handle.settings}, and now asked for with " +
                    "$wanted. A client has one " +
                    "handle per name: give the same settings."
            }
            handle
        }

    private suspend fun opened(
        subject: LedgerName,
        permits: Int,
        timeout: Duration,
        wanted: String,
    ): Handle {
        prepare()
        val coordinator =
            QuorumCoordinator(subject, members, host.backend, config, "q${number.incrementAndGet()}", permits, elsewhere)
        val answers = coordinator.askAll { it to Request.Look(1) }.answers
        requireDifferentServers(coordinator, answers)
        answers.values.firstOrNull { it.longestMillis != config.longestMillis }?.let { throw coordinator.errors.longest(it.longestMillis) }
        val declared = answers.values.groupingBy { it.declared }.eachCount().maxBy { it.value }.key
        if (declared != permits) throw coordinator.errors.mismatch(permits, declared)
        val handle = Handle(DefaultQuorumSemaphore(coordinator, backend, timeout), wanted)
        handles[subject] = handle
        return handle
    }

    /** Each server has an id of its own, whoever asked it first. */
    private fun requireDifferentServers(
        coordinator: QuorumCoordinator,
        answers: Map<Int, Answer>,
    ) {
        val known = HashMap<String, Int>()
        for ((master, answer) in answers.toSortedMap()) {
            val other = known.put((answer.body as Answer.Seen).id, master) ?: continue
            throw coordinator.errors.sameServer(other, master)
        }
    }

    /** Requests do not wait for a connection; the first ones would find none. Waits for a majority of them, and a little for the others. */
    private suspend fun prepare() {
        if (isPrepared) return
        val there = Channel<Unit>(members.size)
        for (member in members) {
            host.backend.scope.launch {
                member.prepare()
                there.send(Unit)
            }
        }
        withTimeoutOrNull(START) {
            repeat(members.size / 2 + 1) { there.receive() }
            withTimeoutOrNull(STRAGGLERS) { repeat(members.size - members.size / 2 - 1) { there.receive() } }
        }
        isPrepared = true
    }

    /** Called by each of the hosts that it is closed with. */
    private val goodbye =
        lazy {
            handles.values.forEach { it.semaphore.coordinator.close() }
        }

    override fun close() {
        goodbye.value
        hosts.forEach { it.close() }
    }

    override suspend fun awaitFarewell() {
        coroutineScope { for (handle in handles.values) launch { handle.semaphore.coordinator.awaitFarewell() } }
    }

    override suspend fun closeAndJoin() {
        close()
        coroutineScope { for (host in hosts) launch { host.closeAndJoin() } }
    }

    override fun toString(): String = "SignalboxQuorum(masters=${members.map { it.title }})"

    private companion object {
        const val MOST_BYTES = 256
        val START = 6.seconds
        val STRAGGLERS = 0.25.seconds
    }
}
