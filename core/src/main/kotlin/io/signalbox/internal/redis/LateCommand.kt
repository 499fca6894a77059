package io.signalbox.internal.redis

import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandType
import io.netty.buffer.ByteBuf

/**
 * A command whose arguments are decided at the last moment: when the connection writes it, on the event loop that the request has to
 * be handed to anyway. Until then its sender can add to it.
 *
 * If there is nothing to say by then it becomes a PING, because something is expected to leave.
 */
internal class LateCommand<T>(
    type: CommandType,
    output: Output<T>,
    private val compose: () -> Arguments?,
) : Command<ByteArray, ByteArray, T>(type, output) {
    private var decided = false

    override fun encode(buf: ByteBuf) {
        // Encoded again after a reconnection: the same bytes.
        if (!decided) {
            args = compose()
            decided = true
        }
        if (args != null) super.encode(buf) else buf.writeBytes(PING)
    }

    private companion object {
        val PING = "*1\r\n$4\r\nPING\r\n".toByteArray()
    }
}
