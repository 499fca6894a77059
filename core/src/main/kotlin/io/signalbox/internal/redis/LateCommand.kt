package io.signalbox.internal.redis

import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandType
import io.netty.buffer.ByteBuf

/**
 * A command whose arguments are decided at the last moment: when the connection writes it, on the event loop that the request has to
 * be handed to anyway. Until then its sender can add to it.
 *
 * If there is nothing to say by then it becomes a PING, because something is expected to leave.
 *
 * By then the driver has noted whose the next reply is: whoever would write another command meanwhile, in the same thread, would be
 * before this one on the wire and behind it in the driver's list, and each had the other's reply. [isComposing] tells them to do it elsewhere.
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
            composing.set(true)
            try {
                args = compose()
            } finally {
                composing.remove()
            }
            decided = true
        }
        if (args != null) super.encode(buf) else buf.writeBytes(PING)
    }

    companion object {
        private val composing = ThreadLocal<Boolean>()

        /** Whether this thread is in the middle of writing a command. */
        val isComposing: Boolean get() = composing.get() == true

        private val PING = "*1\r\n$4\r\nPING\r\n".toByteArray()
    }
}
