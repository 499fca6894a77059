package io.signalbox.pool.model

import io.lettuce.core.protocol.CommandType
import io.signalbox.internal.pool.Batch
import kotlinx.coroutines.DisposableHandle

/** The server, as far as pools use it: the commands, expiry, WATCH, and who waits in BLPOP. */
internal class ModelRedis(
    private val world: Simulation,
) {
    /** What the server knows of a connection. */
    class Session {
        val watched = HashMap<String, Long>()
        var isGone = false
    }

    private class Blocked(
        val session: Session,
        val keys: List<String>,
        val reply: (List<Any?>?) -> Unit,
    ) {
        var timeout: DisposableHandle? = null
    }

    private val values = LinkedHashMap<String, Any>()
    private val expiries = HashMap<String, Long>()
    private val versions = HashMap<String, Long>()
    private val blocked = ArrayList<Blocked>()

    /** How often each command was executed: a model that never gets to one proves nothing of it. */
    val executed = HashMap<CommandType, Int>()

    /** Called with the new value of `permits`. */
    var onCount: (Int) -> Unit = {}

    // ---- requests ----------------------------------------------------------------------------------------------------------

    /** All of [batch] at one instant; `null` if something that [session] watches has changed. */
    fun transact(
        session: Session,
        batch: List<Batch.Request>,
    ): List<Any?>? {
        val isStale = session.watched.any { (key, version) -> versionOf(key) != version }
        session.watched.clear()
        if (isStale) return null
        val replies = batch.map { execute(session, it) }
        serveBlocked()
        return replies
    }

    fun ask(
        session: Session,
        request: Batch.Request,
        reply: (List<Any?>?) -> Unit,
    ) {
        if (request.word == CommandType.BLPOP) return block(session, request.values, reply)
        val value = execute(session, request)
        serveBlocked()
        reply(value as? List<Any?> ?: listOf(value))
    }

    fun disconnect(session: Session) {
        session.isGone = true
        blocked.filter { it.session === session }.forEach { it.timeout?.dispose() }
        blocked.removeAll { it.session === session }
    }

    private fun block(
        session: Session,
        arguments: List<Any>,
        reply: (List<Any?>?) -> Unit,
    ) {
        val keys = arguments.dropLast(1).map { (it as ByteArray).decodeToString() }
        val waiting = Blocked(session, keys, reply)
        waiting.timeout = world.after(((arguments.last() as Number).toDouble() * SECOND).toLong()) {
            if (blocked.remove(waiting)) reply(emptyList())
        }
        blocked.add(waiting)
        serveBlocked()
    }

    private fun serveBlocked() {
        for (waiting in blocked.toList()) {
            val key = waiting.keys.firstOrNull { list(it).isNotEmpty() } ?: continue
            val element = pop(key, 1).single()
            blocked.remove(waiting)
            waiting.timeout?.dispose()
            waiting.reply(listOf(key.toByteArray(), element.toByteArray()))
        }
    }

    // ---- keys --------------------------------------------------------------------------------------------------------------

    private fun live(key: String): Any? {
        val end = expiries[key]
        if (end != null && end <= world.now) delete(key)
        return values[key]
    }

    private fun delete(key: String): Boolean {
        expiries.remove(key)
        return (values.remove(key) != null).also { if (it) touch(key) }
    }

    private fun touch(key: String) {
        versions.merge(key, 1, Long::plus)
    }

    private fun versionOf(key: String): Long {
        live(key)
        return versions[key] ?: 0
    }

    @Suppress("UNCHECKED_CAST")
    private fun hash(key: String) = live(key) as MutableMap<String, String>? ?: LinkedHashMap()

    @Suppress("UNCHECKED_CAST")
    fun scores(key: String) = live(key) as MutableMap<String, Double>? ?: LinkedHashMap()

    @Suppress("UNCHECKED_CAST")
    fun list(key: String) = live(key) as MutableList<String>? ?: ArrayList()

    fun get(key: String): String? = live(key) as String?

    fun field(
        key: String,
        name: String,
    ): String? = hash(key)[name]

    /** Stores [value] if there is anything in it, as the server drops what is empty. */
    private fun store(
        key: String,
        value: Any,
    ) {
        touch(key)
        val isEmpty = (value as? Collection<*>)?.isEmpty() ?: (value as? Map<*, *>)?.isEmpty() ?: false
        if (isEmpty) delete(key) else values[key] = value
    }

    private fun pop(
        key: String,
        count: Int,
    ): List<String> {
        val elements = list(key)
        val popped = elements.take(count)
        if (popped.isNotEmpty()) store(key, elements.drop(count).toMutableList())
        return popped
    }

    // ---- commands ----------------------------------------------------------------------------------------------------------

    private fun execute(
        session: Session,
        request: Batch.Request,
    ): Any? {
        executed.merge(request.word, 1, Int::plus)
        val words = request.values.map { if (it is ByteArray) it.decodeToString() else it.toString() }
        val key = words.firstOrNull().orEmpty()
        val rest = words.drop(1)
        return when (request.word) {
            CommandType.TIME -> (EPOCH + world.now / 1000).let { listOf("${it / 1_000_000}", "${it % 1_000_000}") }
            CommandType.WATCH -> "OK".also { session.watched[key] = versionOf(key) }
            CommandType.GET -> get(key)
            CommandType.MGET -> words.map(::get)
            CommandType.SET -> set(key, rest)
            CommandType.DEL -> if (delete(key)) 1L else 0L
            CommandType.PEXPIRE -> if (live(key) == null) 0L else 1L.also { expiries[key] = world.now + rest[0].toLong() * MILLI }
            CommandType.PTTL -> if (live(key) == null) -2L else expiries[key]?.let { (it - world.now) / MILLI } ?: -1L
            CommandType.HGET -> hash(key)[rest[0]]
            CommandType.HMGET -> hash(key).let { hash -> rest.map { hash[it] } }
            CommandType.HGETALL -> hash(key).flatMap { (field, value) -> listOf(field, value) }
            CommandType.HLEN -> hash(key).size.toLong()
            CommandType.HSET -> store(
                key,
                hash(key).apply {
                    rest.chunked(2).forEach { (field, value) -> put(field, value).also { heard(field, value) } }
                },
            )
            CommandType.HSETNX -> setNew(key, rest[0], rest[1])
            CommandType.HDEL -> hash(key).let { hash -> if (hash.keys.removeAll(rest.toSet())) store(key, hash) }
            CommandType.HINCRBY -> hash(key).let { hash ->
                val sum = (hash[rest[0]]?.toLong() ?: 0) + rest[1].toLong()
                hash[rest[0]] = "$sum"
                store(key, hash)
                sum
            }
            CommandType.ZINCRBY -> scores(key).let { scores ->
                val sum = (scores[rest[1]] ?: 0.0) + rest[0].toDouble()
                scores[rest[1]] = sum
                store(key, scores)
                sum
            }
            CommandType.ZCARD -> scores(key).size.toLong()
            CommandType.ZMSCORE -> scores(key).let { scores -> rest.map { scores[it] } }
            CommandType.ZRANGE -> scores(key).entries.sortedWith(compareBy({ it.value }, { it.key })).flatMap { listOf(it.key, it.value) }
            CommandType.ZADD -> add(key, rest)
            CommandType.ZREM -> scores(key).let { scores -> if (scores.keys.removeAll(rest.toSet())) store(key, scores) }
            CommandType.ZREMRANGEBYSCORE -> scores(key).let { scores ->
                if (scores.values.removeAll { it in scoreOf(rest[0])..scoreOf(rest[1]) }) store(key, scores)
            }
            CommandType.LRANGE -> list(key).toList()
            CommandType.LPOP -> pop(key, rest[0].toInt()).ifEmpty { null }
            CommandType.LPUSH -> store(key, list(key).apply { rest.forEach { add(0, it) } })
            CommandType.RPUSH -> store(key, list(key).apply { addAll(rest) })
            else -> error("The model does not know ${request.word}.")
        }
    }

    private fun heard(
        field: String,
        value: String,
    ) {
        if (field == "permits") onCount(value.toInt())
    }

    private fun setNew(
        key: String,
        field: String,
        value: String,
    ): Long {
        val hash = hash(key)
        if (hash.putIfAbsent(field, value) != null) return 0
        store(key, hash)
        heard(field, value)
        return 1
    }

    private fun set(
        key: String,
        words: List<String>,
    ): String? {
        val exists = live(key) != null
        if (exists && "NX" in words) return null
        if (!exists && "XX" in words) return null
        values[key] = words[0]
        touch(key)
        expiries[key] = world.now + words[words.indexOf("PX") + 1].toLong() * MILLI
        return "OK"
    }

    /** With CH, how many were changed. */
    private fun add(
        key: String,
        words: List<String>,
    ): Long {
        val flags = words.takeWhile { it in FLAGS }
        val scores = scores(key)
        var changed = 0L
        for ((score, member) in words.drop(flags.size).chunked(2)) {
            val before = scores[member]
            val refused = if (before == null) "XX" in flags else "NX" in flags || ("GT" in flags && score.toDouble() <= before)
            if (refused || before == score.toDouble()) continue
            scores[member] = score.toDouble()
            changed++
        }
        if (changed > 0) store(key, scores)
        return changed
    }

    companion object {
        private val FLAGS = setOf("NX", "XX", "GT", "CH")

        /** Some day in 2026, in microseconds. */
        private const val EPOCH = 1_790_000_000_000_000L
        const val EPOCH_NANOS = EPOCH * 1000
    }

    private fun scoreOf(text: String): Double = if (text == "-inf") Double.NEGATIVE_INFINITY else text.toDouble()
}
