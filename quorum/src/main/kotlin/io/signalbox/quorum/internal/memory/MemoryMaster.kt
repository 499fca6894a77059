package io.signalbox.quorum.internal.memory

import io.signalbox.internal.ledger.LedgerName
import io.signalbox.quorum.internal.master.Answer
import io.signalbox.quorum.internal.master.Handed
import io.signalbox.quorum.internal.master.Known
import io.signalbox.quorum.internal.master.Master
import io.signalbox.quorum.internal.master.Request
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

/** What a server is to networked masters: shared by all clients, can be stopped. */
internal class MemoryServer(
    timeSource: TimeSource.WithComparableMarks,
    private val startMillis: Long,
) {
    private val origin = timeSource.markNow()
    private var state = MasterState(::now, bornAt = 0)

    @Volatile
    var isRunning = true
        private set

    /** How long the next message takes, either way; `null` if it gets lost. Tests have networks. */
    @Volatile
    var network: () -> Duration? = { Duration.ZERO }

    /** Hears what was asked and answered. */
    @Volatile
    var onAnswer: (Request, Answer) -> Unit = { _, _ -> }

    private fun now() = startMillis + origin.elapsedNow().inWholeMilliseconds

    fun stop() {
        isRunning = false
    }

    @Synchronized
    fun start(keepsData: Boolean) {
        if (!keepsData) state = MasterState(::now, bornAt = now())
        isRunning = true
    }

    /** `null` if it is stopped. */
    fun answer(
        subject: LedgerName,
        known: Known,
        request: Request,
        asker: Asker,
    ): Answer? {
        val (answer, handed) =
            synchronized(this) {
                if (!isRunning) return null
                val answer = state.answer(subject, known, request, asker)
                onAnswer(request, answer)
                answer to state.takeHanded()
            }
        handed.forEach { it() }
        return answer
    }
}

/** One client's line to a [MemoryServer]: each request, answer and announcement is a task of the client's [scope]. */
internal class MemoryMaster(
    override val title: String,
    private val server: MemoryServer,
    private val namespace: String,
    private val scope: CoroutineScope,
    asker: (inbox: (String, Handed) -> Unit) -> Asker,
) : Master {
    private val recipients = ConcurrentHashMap<String, Master.Recipient>()
    private val asker = asker { name, handed -> scope.launch { pass()?.let { recipients[name]?.onHanded(handed) } } }

    override fun send(
        subject: LedgerName,
        known: Known,
        request: Request,
        done: (Answer?, Throwable?) -> Unit,
    ) {
        scope.launch {
            pass() ?: return@launch
            val answer = server.answer(subject.inNamespace(), known, request, asker)
            pass() ?: return@launch
            if (answer == null) done(null, IllegalStateException("It is stopped.")) else done(answer, null)
        }
    }

    private suspend fun pass(): Unit? {
        val duration = server.network() ?: return null
        if (duration > Duration.ZERO) delay(duration)
        return Unit
    }

    /** The namespace cannot have a blank line in it. */
    private fun LedgerName.inNamespace() = LedgerName(kind, "$namespace\n$name")

    override fun listen(
        name: String,
        recipient: Master.Recipient,
    ) {
        recipients[name] = recipient
    }

    override suspend fun prepare() = Unit
}
