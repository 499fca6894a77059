package io.signalbox.internal.redis

import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.protocol.CommandArgs
import io.signalbox.InternalSignalboxApi
import java.security.MessageDigest

/** A Lua script and the name under which a server has cached it. */
@InternalSignalboxApi
public class Script(
    text: String,
) {
    internal val body: ByteArray = text.toByteArray()
    internal val sha: ByteArray =
        MessageDigest
            .getInstance("SHA-1")
            .digest(body)
            .joinToString("") { "%02x".format(it) }
            .toByteArray()

    /** The arguments of EVALSHA or EVAL up to the keys; [form] is [sha] or [body]. */
    internal fun call(
        form: ByteArray,
        keys: List<ByteArray>,
    ): CommandArgs<ByteArray, ByteArray> {
        val args = CommandArgs(ByteArrayCodec.INSTANCE).add(form).add(keys.size.toLong())
        keys.forEach(args::addKey)
        return args
    }
}
