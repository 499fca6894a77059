package io.signalbox.timers

import io.signalbox.timers.internal.Limits
import kotlinx.serialization.KSerializer
import kotlinx.serialization.json.Json
import kotlinx.serialization.serializer

/**
 * A kind of timer: a name that all processes agree on, and the type of what its timers carry.
 *
 * ```
 * @Serializable data class Reminder(val message: String)
 * val Reminders = topic<Reminder>("reminders")
 * ```
 */
public class Topic<T> internal constructor(
    /** What it is called in the store. */
    public val name: String,
    internal val codec: TimerCodec<T>,
) {
    override fun toString(): String = "topic '$name'"
}

/** How payloads are turned into bytes and back. Must be safe to use from several threads. */
public interface TimerCodec<T> {
    /**
     * Throws if [payload] cannot be encoded; nothing is scheduled then. The first payload of each class that a process schedules is decoded
     * again, to find out in time that it can be.
     */
    public fun encode(payload: T): ByteArray

    /** Throws if [bytes] are no payload of this type; the timer is parked then. */
    public fun decode(bytes: ByteArray): T
}

/**
 * Makes a topic whose payloads are stored as JSON, by kotlinx-serialization.
 *
 * @param name not blank, at most 256 bytes of UTF-8, no braces, control characters or lone surrogates.
 * @param json how to read and write; by default properties that the reader does not know are ignored, so that an older worker can handle
 *   what a newer one has scheduled.
 * @throws IllegalArgumentException if the name cannot be used.
 */
public inline fun <reified T> topic(
    name: String,
    json: Json = TimerJson,
): Topic<T> = topic(name, serializer<T>(), json)

/** As the other, with a serializer of one's own. */
public fun <T> topic(
    name: String,
    serializer: KSerializer<T>,
    json: Json = TimerJson,
): Topic<T> = topic(name, JsonCodec(serializer, json))

/** As the other, with an encoding of one's own. */
public fun <T> topic(
    name: String,
    codec: TimerCodec<T>,
): Topic<T> = Topic(Limits.requireTopic(name), codec)

/**
 * The topic of that name with payloads as they are stored: to list, look at and cancel what is stored under a topic that the code has
 * dropped.
 *
 * @throws IllegalArgumentException if the name cannot be used.
 */
public fun rawTopic(name: String): Topic<ByteArray> = topic(name, RawCodec)

private object RawCodec : TimerCodec<ByteArray> {
    override fun encode(payload: ByteArray): ByteArray = payload.copyOf()

    override fun decode(bytes: ByteArray): ByteArray = bytes.copyOf()
}

/** The JSON of payloads unless another is given: as strict as the library's default, except that unknown properties are ignored. */
public val TimerJson: Json = Json { ignoreUnknownKeys = true }

private class JsonCodec<T>(
    private val serializer: KSerializer<T>,
    private val json: Json,
) : TimerCodec<T> {
    override fun encode(payload: T): ByteArray = json.encodeToString(serializer, payload).let { text ->
        try {
            text.encodeToByteArray(throwOnInvalidSequence = true)
        } catch (problem: CharacterCodingException) {
            throw IllegalArgumentException(
                "The payload contains a lone surrogate, half of a character: UTF-8 cannot say it, and it would come back as another one. " +
                    "Was a text cut in the middle of a character?",
                problem,
            )
        }
    }

    override fun decode(bytes: ByteArray): T = json.decodeFromString(serializer, bytes.decodeToString(throwOnInvalidSequence = true))
}
