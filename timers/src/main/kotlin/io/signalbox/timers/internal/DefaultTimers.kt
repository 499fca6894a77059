package io.signalbox.timers.internal

import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.BackendOwner
import io.signalbox.internal.ClosesWithClient
import io.signalbox.internal.SignalboxBackend
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.timers.DeadTimer
import io.signalbox.timers.DeadTimerPage
import io.signalbox.timers.HandledTimers
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Recurrence
import io.signalbox.timers.Timer
import io.signalbox.timers.TimerEvent
import io.signalbox.timers.TimerListener
import io.signalbox.timers.TimerMetadata
import io.signalbox.timers.TimerPage
import io.signalbox.timers.Timers
import io.signalbox.timers.TimersSettings
import io.signalbox.timers.Topic
import io.signalbox.timers.internal.ledger.Change
import io.signalbox.timers.internal.ledger.Due
import io.signalbox.timers.internal.ledger.Part
import io.signalbox.timers.internal.ledger.Position
import io.signalbox.timers.internal.ledger.Scores
import io.signalbox.timers.internal.ledger.SetTimer
import io.signalbox.timers.internal.ledger.Shelf
import io.signalbox.timers.internal.ledger.Stored
import io.signalbox.timers.internal.ledger.TimerLedger
import io.signalbox.timers.internal.memory.MemoryTimers
import io.signalbox.timers.internal.redis.RedisTimerLedger
import io.signalbox.timers.internal.redis.TimerKeys
import io.signalbox.timers.internal.worker.Mover
import io.signalbox.timers.internal.worker.Reporter
import io.signalbox.timers.internal.worker.Worker
import java.time.Instant
import java.util.TreeSet
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicReference
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.asSharedFlow
import kotlinx.coroutines.isActive
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withTimeoutOrNull
import org.HdrHistogram.Histogram
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/** The one [Timers]: checks and encodes what goes to the store, decodes what comes from it, and starts workers. */
internal class DefaultTimers<C>(
    private val owner: BackendOwner,
    private val context: C,
    settings: TimersSettings<C>,
    makeLedger: (SignalboxBackend, TimersConfig) -> TimerLedger = ::ledgerOf,
) : Timers,
    ClosesWithClient {
    private val backend: SignalboxBackend = owner.backend
    private val config = TimersConfig(settings, inMemory = backend.store is SignalboxBackend.Store.Memory)
    private val ledger: TimerLedger = makeLedger(backend, config)
    private val routes = settings.routes.toMap()
    private val topics = settings.topics.toMap()
    private val interceptors = settings.interceptors.toList()

    /** Topics that are not known here, but were found on the server. */
    private val foundTopics: MutableSet<String> = ConcurrentHashMap.newKeySet()

    /** Classes of payloads that were seen to be decoded again, by topic. */
    private val readBack: MutableSet<Pair<String, Class<*>?>> = ConcurrentHashMap.newKeySet()
    private val sharding = Sharding(config.shards, config.previousShards)
    private val lines = sharding.all.map { WriteLines(it, ledger, backend, config.boundMillis) }
    private val mover = Mover(backend.scope, sharding::of) { shard, topic, keep -> change(topic, keep, shard) }
    private val reporter = Reporter(settings.listener)
    private val running = AtomicReference<Worker>()
    private val passes: MutableSet<Worker> = ConcurrentHashMap.newKeySet()
    private val opening = Mutex()

    @Volatile
    private var isOpen = false

    @Volatile
    private var isClosed = false

    init {
        owner.closeWithClient(this)
    }

    // ---- setting -----------------------------------------------------------------------------------------------------------

    override suspend fun <T> schedule(
        topic: Topic<T>,
        id: String,
        payload: T,
        after: Duration,
        metadata: Map<String, String>,
    ) = set(topic, id, payload, Limits.after(after), metadata)

    override suspend fun <T> schedule(
        topic: Topic<T>,
        id: String,
        payload: T,
        at: Instant,
        metadata: Map<String, String>,
    ) = set(topic, id, payload, Limits.at(at), metadata)

    private suspend fun <T> set(
        topic: Topic<T>,
        id: String,
        payload: T,
        due: Due,
        metadata: Map<String, String>,
    ) {
        requireKnown(topic)
        Limits.requireId(id)
        val timer = SetTimer(id, due, record(topic, payload, null, inherited(metadata)))
        open()
        awaitOne { Operation(topic.name, timer, null, it).also { operation -> submit(operation) } }
        removeFormer(topic.name, id)
    }

    override suspend fun <T> scheduleAll(
        topic: Topic<T>,
        timers: Iterable<NewTimer<T>>,
    ) {
        requireKnown(topic)
        val around = inherited(emptyMap())
        val set =
            timers.map {
                val due = if (it.after != null) Limits.after(it.after) else Limits.at(it.at!!)
                SetTimer(Limits.requireId(it.id), due, record(topic, it.payload, null, around + it.metadata))
            }
        if (set.isEmpty()) return
        open()
        val all = Many(set.size)
        set.groupBy { sharding.of(topic.name, it.id) }.forEach { (shard, timers) ->
            lines[shard].submitAll(timers.map { Operation(topic.name, it, null, all) })
        }
        all.await()
        if (config.previousShards != null) set.forEach { removeFormer(topic.name, it.id) }
    }

    override suspend fun <T> scheduleRecurring(
        topic: Topic<T>,
        id: String,
        payload: T,
        recurrence: Recurrence,
        first: Instant?,
        metadata: Map<String, String>,
    ): Boolean {
        requireKnown(topic)
        Limits.requireId(id)
        val record = record(topic, payload, recurrence, metadata)
        val given = first?.let { Limits.at(it, "first") }
        open()
        val due = given ?: firstOf(recurrence, sharding.of(topic.name, id))
        return change(topic.name, Change.Keep(id, due, record)).also { removeFormer(topic.name, id) }
    }

    private suspend fun firstOf(
        recurrence: Recurrence,
        shard: Int,
    ): Due {
        val first = requireNotNull(recurrence.first(now(shard))) { "The recurrence \"$recurrence\" never occurs, or not any more." }
        return Limits.at(first)
    }

    private suspend fun inherited(metadata: Map<String, String>): Map<String, String> =
        currentCoroutineContext()[TimerMetadata]?.let { it.entries + metadata } ?: metadata

    private fun requireKnown(topic: Topic<*>) = require(topic.name in topics) { unknown(topic.name) }

    private fun unknown(topic: String) =
        "The topic '$topic' is unknown to this service. Include a router that handles it, or declare(topic) if another process does. " +
            "Known are: ${topics.keys.ifEmpty { listOf("none") }.joinToString()}."

    /** What was ever stored can be asked for and removed, whether the code knows it or not. Anything else is a typing error. */
    private suspend fun requireKnownOrStored(topic: String) {
        Limits.requireTopic(topic)
        if (topic in topics || topic in foundTopics) return
        open()
        for (shard in sharding.all) foundTopics += asked { ledger.topics(shard) }
        require(topic in foundTopics) { unknown(topic) }
    }

    private fun <T> record(
        topic: Topic<T>,
        payload: T,
        recurrence: Recurrence?,
        metadata: Map<String, String>,
    ): ByteArray {
        Limits.requireMetadata(metadata)
        val bytes = topic.codec.encode(payload)
        require(bytes.size <= config.maxPayloadBytes) {
            "The payload for topic '${topic.name}' has ${bytes.size} bytes, more than maxPayloadBytes, which is ${config.maxPayloadBytes}."
        }
        val kind = Pair(topic.name, (payload as Any?)?.javaClass)
        if (kind !in readBack) {
            try {
                topic.codec.decode(bytes)
            } catch (problem: Exception) {
                throw IllegalArgumentException(
                    "The payload for topic '${topic.name}', a ${kind.second?.name}, was encoded and cannot be decoded again, so no " +
                        "handler would ever get it; nothing was written: ${problem.message}",
                    problem,
                )
            }
            readBack += kind
        }
        return Records.encode(bytes, recurrence, metadata)
    }

    private fun submit(
        operation: Operation,
        shard: Int = sharding.of(operation.topic, operation.id),
    ) = lines[shard].submit(operation)

    // ---- changing ----------------------------------------------------------------------------------------------------------

    override suspend fun cancel(
        topic: Topic<*>,
        id: String,
    ): Boolean = changeEverywhere(topic.name, id) { Change.Cancel(id) }

    override suspend fun pause(
        topic: Topic<*>,
        id: String,
    ): Boolean = changeEverywhere(topic.name, id) { Change.Pause(id) }

    override suspend fun runNow(
        topic: Topic<*>,
        id: String,
    ): Boolean = changeEverywhere(topic.name, id) { Change.RunNow(id) }

    override suspend fun pauseTopic(topic: Topic<*>): Boolean = changeTopic(topic.name, Change.PauseTopic)

    override suspend fun resumeTopic(topic: Topic<*>): Boolean = changeTopic(topic.name, Change.ResumeTopic)

    private suspend fun changeTopic(
        topic: String,
        change: Change,
    ): Boolean {
        requireKnownOrStored(topic)
        open()
        return sharding.all.count { change(topic, change, it) } > 0
    }

    override suspend fun pausedTopics(): Set<String> {
        open()
        return sharding.all.flatMapTo(TreeSet(ByteOrder)) { asked { ledger.pausedTopics(it) } }
    }

    override suspend fun resume(
        topic: Topic<*>,
        id: String,
    ): Boolean {
        val stored = find(topic.name, id) ?: return false
        val recurrence = Records.read(stored.record).recurrence
        val pause = recurrence?.pauseMillis
        val due =
            when {
                recurrence == null -> Due.at(stored.due)
                pause != null -> Due.after(pause)
                else -> now(sharding.of(topic.name, id)).let { now ->
                    Limits.at(recurrence.upcoming(Instant.ofEpochMilli(stored.due), now) ?: now)
                }
            }
        return changeEverywhere(topic.name, id) { Change.Resume(id, due) }
    }

    override suspend fun requeue(
        topic: String,
        id: String,
        after: Duration,
    ): Boolean = Limits.after(after).let { due -> changeEverywhere(topic, id) { Change.Requeue(id, due) } }

    override suspend fun discard(
        topic: String,
        id: String,
    ): Boolean = changeEverywhere(topic, id) { Change.Discard(id) }

    private suspend fun changeEverywhere(
        topic: String,
        id: String,
        change: () -> Change,
    ): Boolean {
        Limits.requireId(id)
        requireKnownOrStored(topic)
        open()
        val former = sharding.formerOf(topic, id)
        val inFormer = former != null && change(topic, change(), former)
        return change(topic, change()) || inFormer
    }

    private suspend fun change(
        topic: String,
        change: Change,
        shard: Int = sharding.of(topic, change.id),
    ): Boolean = awaitOne { Operation(topic, null, change, it).also { operation -> submit(operation, shard) } }

    private suspend fun removeFormer(
        topic: String,
        id: String,
    ) {
        val former = sharding.formerOf(topic, id) ?: return
        change(topic, Change.Cancel(id), former)
    }

    // ---- asking ------------------------------------------------------------------------------------------------------------

    override suspend fun <T> get(
        topic: Topic<T>,
        id: String,
    ): Timer<T>? = find(topic.name, id)?.let { timer(topic, it) }

    private suspend fun find(
        topic: String,
        id: String,
    ): Stored? {
        Limits.requireId(id)
        requireKnownOrStored(topic)
        open()
        return asked { ledger.get(sharding.of(topic, id), topic, id) }
            ?: sharding.formerOf(topic, id)?.let { former -> asked { ledger.get(former, topic, id) } }
    }

    override suspend fun <T> list(
        topic: Topic<T>,
        from: Instant?,
        until: Instant?,
        limit: Int,
        after: String?,
    ): TimerPage<T> {
        requireLimit(limit)
        requireKnownOrStored(topic.name)
        val moments = (from?.let { millis(it, roundUp = true) } ?: 0)..(until?.let { millis(it, roundUp = false) } ?: FOR_EVER.last)
        return page(topic, Part.TIMELINE, moments, limit, after)
    }

    override suspend fun <T> listPaused(
        topic: Topic<T>,
        limit: Int,
        after: String?,
    ): TimerPage<T> {
        requireLimit(limit)
        requireKnownOrStored(topic.name)
        return page(topic, Part.PAUSED, FOR_EVER, limit, after)
    }

    private suspend fun <T> page(
        topic: Topic<T>,
        part: Part,
        moments: LongRange,
        limit: Int,
        after: String?,
    ): TimerPage<T> {
        val position = after?.let { Cursors.decode(it).second }
        open()
        val found = page(topic.name, part, moments, position, limit)
        val next = if (found.size < limit) null else found.last().let { Cursors.encode(topic.name, Position(it.moment, it.id)) }
        return TimerPage(found.map { timer(topic, it) }, next)
    }

    /** Of a moment in any year, within what is stored. */
    private fun millis(
        moment: Instant,
        roundUp: Boolean,
    ): Long = if (moment < Instant.EPOCH) if (roundUp) 0 else -1 else Limits.millis(minOf(moment, Limits.LAST), roundUp)

    /** One page over all shards. */
    private suspend fun page(
        topic: String,
        part: Part,
        moments: LongRange,
        after: Position?,
        limit: Int,
    ): List<Stored> =
        sharding.all
            .flatMap { shard -> asked { ledger.list(shard, topic, part, moments, after, limit) } }
            .let { all -> if (sharding.all.count() == 1) all else all.sortedWith(BY_PLACE) }
            .take(limit)

    override suspend fun count(topic: Topic<*>): Long = count(topic, Part.TIMELINE)

    override suspend fun countPaused(topic: Topic<*>): Long = count(topic, Part.PAUSED)

    private suspend fun count(
        topic: Topic<*>,
        part: Part,
    ): Long {
        requireKnownOrStored(topic.name)
        open()
        return sharding.all.sumOf { shard -> asked { ledger.count(shard, topic.name, part) } }
    }

    override suspend fun deadTimers(
        topic: String?,
        limit: Int,
        after: String?,
    ): DeadTimerPage {
        requireLimit(limit)
        topic?.let { requireKnownOrStored(it) }
        open()
        val cursor = after?.let(Cursors::decode)
        val names =
            if (topic != null) listOf(topic) else sharding.all.flatMapTo(TreeSet(ByteOrder)) { asked { ledger.topics(it) } }
        val handled = sharding.all.flatMapTo(HashSet()) { asked { ledger.handledTopics(it) } }
        val now = now().toEpochMilli()
        val found = ArrayList<DeadTimer>()
        for (name in names) {
            if (cursor != null && ByteOrder.compare(name, cursor.first) < 0) continue
            var position = cursor?.takeIf { it.first == name }?.second
            while (true) {
                // What nobody handles is on the timeline, where it is taken from as soon as somebody does.
                val overdue = 0..now - config.boundMillis
                val waiting = if (name in handled) emptyList() else page(name, Part.TIMELINE, overdue, position, limit)
                val shelved = page(name, Part.SHELF, FOR_EVER, position, limit)
                val both = (waiting + shelved).sortedWith(BY_PLACE).take(limit)
                for (stored in both) {
                    position = Position(stored.moment, stored.id)
                    dead(name, stored)?.let(found::add)
                    if (found.size == limit) return DeadTimerPage(found, Cursors.encode(name, position))
                }
                if (both.size < limit) break
            }
        }
        return DeadTimerPage(found, null)
    }

    private fun dead(
        topic: String,
        stored: Stored,
    ): DeadTimer? {
        val kind =
            when (stored.shelf) {
                Shelf.PAUSED -> return null
                Shelf.DEAD -> DeadTimer.Kind.DEAD
                Shelf.PARKED -> DeadTimer.Kind.UNDECODABLE
                null -> DeadTimer.Kind.UNKNOWN_TOPIC
            }
        return DeadTimer(
            topic,
            stored.id,
            due = Instant.ofEpochMilli(stored.due),
            since = Instant.ofEpochMilli(Scores.millis(stored.moment)),
            stored.attempts,
            kind,
            if (stored.shelf == null) "No worker handles the topic." else stored.reason,
            Records.payloadOf(stored.record),
        )
    }

    private fun <T> timer(
        topic: Topic<T>,
        stored: Stored,
    ): Timer<T> {
        val content = runCatching { Records.read(stored.record) }.getOrNull()
        return Timer(
            topic.name,
            stored.id,
            due = Instant.ofEpochMilli(stored.due),
            next = Instant.ofEpochMilli(Scores.millis(stored.moment)),
            stored.attempts,
            state =
            when {
                stored.shelf == Shelf.PAUSED -> Timer.State.PAUSED
                stored.shelf != null -> Timer.State.DEAD
                stored.isClaimed -> Timer.State.HANDLING
                else -> Timer.State.WAITING
            },
            recurrence = content?.recurrence,
            metadata = content?.metadata.orEmpty(),
            decoded = lazy { topic.codec.decode(Records.payloadOf(stored.record)) },
        )
    }

    override suspend fun now(): Instant = now(shard = 0)

    private suspend fun now(shard: Int): Instant = asked { ledger.now(shard) }

    /** What is due now, by the clock of each shard. */
    private suspend fun horizons(): List<Long> {
        val one = Limits.millis(now(), roundUp = true)
        return sharding.all.map { shard -> if (shard > 0 && ledger.isSpread) Limits.millis(now(shard), roundUp = true) else one }
    }

    private fun requireLimit(limit: Int) = require(limit in 1..MAX_PAGE) { "limit must be 1 to $MAX_PAGE, but was $limit." }

    // ---- handling ----------------------------------------------------------------------------------------------------------

    override suspend fun run(): Nothing {
        check(routes.isNotEmpty()) { "There is no handler to run. Include a router, or add handlers." }
        open()
        val worker = worker { 0 }
        check(running.compareAndSet(null, worker)) { "run() is running already. One is enough: raise concurrency instead." }
        try {
            if (isClosed) throw closed()
            worker.run()
            throw closed()
        } finally {
            running.set(null)
        }
    }

    override suspend fun handleReady(): HandledTimers {
        open()
        if (routes.isEmpty()) return HandledTimers(0, 0, 0, 0)
        val worker = horizons().let { until -> worker { shard -> until[shard] } }
        passes.add(worker)
        try {
            if (isClosed) throw closed()
            worker.run()
        } finally {
            passes.remove(worker)
        }
        return worker.handled()
    }

    private suspend fun worker(horizon: (shard: Int) -> Long): Worker {
        val caller = currentCoroutineContext()
        return Worker(backend, config, ledger, sharding.all, routes.values, context, interceptors, reporter, caller, mover, horizon)
    }

    override val events: Flow<TimerEvent> = reporter.events.asSharedFlow()

    override fun addListener(listener: TimerListener): DisposableHandle = reporter.add(listener)

    override fun lag(): Histogram = reporter.lag()

    // ---- the store ---------------------------------------------------------------------------------------------------------

    /** Makes sure, once, that all processes mean the same number of shards. */
    private suspend fun open() {
        if (isClosed || !backend.scope.isActive) throw closed()
        if (isOpen) return
        opening.withLock {
            if (isOpen) return
            val stored = asked { ledger.declareShards(config.shards, config.previousShards) }
            require(stored == config.shards) {
                "The timers of service '${config.name}' are spread over $stored shards, and shards is ${config.shards} here. " +
                    "All processes must agree; to change the number, set previousShards = $stored until all timers from before are gone."
            }
            if (ledger.isSpread && config.shards == 1) log.warn(ONE_SHARD, config.name)
            isOpen = true
        }
    }

    /** Asks again until the store answers or its time is up. For requests that change nothing, or the same when repeated. */
    private suspend fun <T> asked(request: suspend () -> T): T = owner.untilClosed { backend.settings.time.run { answered(request) } }

    private suspend fun <T> answered(request: suspend () -> T): T {
        val limit = backend.clock.nanos() + backend.settings.storeTimeoutNanos
        var attempt = 0
        while (true) {
            if (isClosed || !backend.scope.isActive) throw closed()
            try {
                return request()
            } catch (failure: LedgerFailure) {
                if (failure.final) throw failure.error
                // Once more, because another server may be the primary by now.
                if (failure.refused && attempt > 0) throw failure.told()
                if (backend.clock.nanos() > limit) {
                    throw StoreUnavailableException(
                        "The store gave no usable answer in time. Last problem: ${failure.error.message}",
                        failure.error,
                    )
                }
            }
            delay(backend.settings.backoffNanos(attempt++).nanoseconds)
        }
    }

    private fun closed() = SignalboxClosedException("This client was closed. Make a new one with Signalbox.connect().")

    override fun close() {
        isClosed = true
        lines.forEach { it.close() }
        (passes + listOfNotNull(running.get())).forEach { it.stop() }
    }

    override val patience: Duration get() = config.drainTimeout

    override suspend fun awaitFarewell() {
        // Handlers have more time than what only waits for the store.
        withTimeoutOrNull(backend.settings.storeTimeoutMillis.milliseconds) { lines.forEach { it.awaitEnd() } }
        lines.forEach { it.end() }
        while (running.get() != null || passes.isNotEmpty()) delay(POLL)
    }

    private companion object {
        val log: Logger = LoggerFactory.getLogger(DefaultTimers::class.java)
        const val ONE_SHARD =
            "The timers of service '{}' are in one shard, and so on one master of the cluster: set shards to some times the number of masters"
        const val MAX_PAGE = 1000
        val POLL = 5.milliseconds
        val FOR_EVER = 0..Limits.LAST.toEpochMilli()
        val BY_PLACE = compareBy<Stored> { it.moment }.thenBy(ByteOrder) { it.id }
    }
}

/** The ledger of a client: where its store keeps the timers of this service. */
internal fun ledgerOf(
    backend: SignalboxBackend,
    config: TimersConfig,
): TimerLedger =
    when (val store = backend.store) {
        is SignalboxBackend.Store.Memory ->
            store.store.part("timers:${backend.namespace}:{${config.name}}:${config.timelineKey}") { MemoryTimers(store.store) }

        is SignalboxBackend.Store.Redis ->
            RedisTimerLedger(
                store.line,
                TimerKeys(backend.namespace, config.name, config.timelineKey, config.payloadsKey),
                store.announceInScript,
            )
    }
