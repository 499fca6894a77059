package io.signalbox.internal.ledger

import io.signalbox.InternalSignalboxApi
import java.security.SecureRandom
import java.util.Base64
import java.util.concurrent.atomic.AtomicLong

/**
 * Who a client is: 8 public characters and 22 secret ones (128 bits). Whoever knows the whole can release its permits, so only
 * the public part reaches logs, exceptions and snapshots.
 */
@InternalSignalboxApi
public class ClientIdentity internal constructor() {
    public val id: String = random(PUBLIC_BYTES) + random(SECRET_BYTES)
    private val sessions = AtomicLong()

    /** `client.n`, never the same twice. Base64url has none of the characters that separate parts of a member or field. */
    public fun nextSession(): String = id + "." + sessions.incrementAndGet()

    internal companion object {
        private const val PUBLIC_BYTES = 6
        private const val SECRET_BYTES = 16
        const val PUBLIC_LENGTH = 8
        private val source = SecureRandom()

        fun random(bytes: Int): String = Base64.getUrlEncoder().withoutPadding().encodeToString(ByteArray(bytes).also(source::nextBytes))
    }
}

/** The part of [session] that may be shown. */
internal fun publicClient(session: String): String = session.take(ClientIdentity.PUBLIC_LENGTH)
