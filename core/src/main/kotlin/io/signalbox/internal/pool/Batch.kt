package io.signalbox.internal.pool

import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType

/** Commands that are to be sent together. Immutable once it was sent, so that it can be sent again. */
internal class Batch {
    /** Arguments are byte arrays, or written as text. */
    class Request(
        val word: CommandType,
        val values: List<Any>,
    ) {
        fun arguments(): CommandArgs<ByteArray, ByteArray> {
            val args = CommandArgs(ByteArrayCodec.INSTANCE)
            for (value in values) {
                when (value) {
                    is ByteArray -> args.add(value)
                    is Long -> args.add(value)
                    is Int -> args.add(value.toLong())
                    else -> args.add(value.toString().toByteArray())
                }
            }
            return args
        }
    }

    private val collected = ArrayList<Request>()

    /**
     * Whether it is carried out as a whole or not at all. At its memory limit a server refuses whatever is part of a transaction, also what it
     * would take outside of one.
     */
    var isTransaction = true

    val requests: List<Request> get() = collected
    val isEmpty: Boolean get() = collected.isEmpty()

    /** Returns the index of its reply. */
    fun add(
        word: CommandType,
        vararg arguments: Any,
    ): Int = add(word, arguments.asList())

    fun add(
        word: CommandType,
        arguments: List<Any>,
    ): Int {
        collected.add(Request(word, arguments))
        return collected.size - 1
    }
}

/** Replies of a [Batch] in its order, whatever the version of the wire protocol. */
internal class Replies(
    private val values: List<Any?>,
) {
    operator fun get(index: Int): Any? = values[index]

    fun text(index: Int): String? = textOf(values[index])

    fun number(index: Int): Long? = numberOf(values[index])

    fun list(index: Int): List<Any?> = elementsOf(values[index])

    fun texts(index: Int): List<String?> = list(index).map(::textOf)

    fun numbers(index: Int): List<Long?> = list(index).map(::numberOf)

    /** Members and scores, or fields and values: one flat list in RESP2, a list of pairs in RESP3. */
    fun pairs(index: Int): List<Pair<String, Any?>> {
        val flat = list(index).flatMap { if (it is List<*>) it else listOf(it) }
        return flat.chunked(2).map { (first, second) -> textOf(first)!! to second }
    }

    companion object {
        fun textOf(value: Any?): String? =
            when (value) {
                null -> null
                is ByteArray -> String(value)
                is Double -> value.toLong().toString()
                else -> value.toString()
            }

        fun numberOf(value: Any?): Long? =
            when (value) {
                is Long -> value
                is Double -> value.toLong()
                // Outside of a transaction.
                is List<*> -> numberOf(value.singleOrNull())
                // A score may be written as 1.7e+15.
                else -> textOf(value)?.let { it.toLongOrNull() ?: it.toDouble().toLong() }
            }

        private fun elementsOf(value: Any?): List<Any?> = value as? List<*> ?: emptyList<Any?>()
    }
}
