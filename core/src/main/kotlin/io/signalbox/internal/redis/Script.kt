package io.signalbox.internal.redis

import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.protocol.CommandArgs
import io.signalbox.InternalSignalboxApi
import java.security.MessageDigest

/** A Lua script, made of the texts of [sections] one behind the other, and the name under which a server has cached it. */
@InternalSignalboxApi
public class Script internal constructor(
    private val sections: List<Section>,
) {
    public constructor(text: String) : this(listOf(Section("script", text)))

    internal val body: ByteArray = sections.joinToString("") { it.text }.toByteArray()
    internal val sha: ByteArray =
        MessageDigest
            .getInstance("SHA-1")
            .digest(body)
            .joinToString("") { "%02x".format(it) }
            .toByteArray()

    /** A file that is part of a script. */
    internal class Section(
        val name: String,
        val text: String,
    )

    /** The arguments of EVALSHA or EVAL up to the keys; [form] is [sha] or [body]. */
    internal fun call(
        form: ByteArray,
        keys: List<ByteArray>,
    ): CommandArgs<ByteArray, ByteArray> {
        val args = CommandArgs(ByteArrayCodec.INSTANCE).add(form).add(keys.size.toLong())
        keys.forEach(args::addKey)
        return args
    }

    /** [message] of the server, with the file and line in place of each line of the whole script, as in `user_script:123`. */
    internal fun located(message: String): String =
        POSITION.replace(message) { match -> position(match.groupValues[1].toInt()) ?: match.value }

    private fun position(line: Int): String? {
        var left = line
        for (section in sections) {
            val lines = section.text.count { it == '\n' }
            if (left <= lines) return "${section.name}.lua:$left"
            left -= lines
        }
        return null
    }

    internal companion object {
        private val POSITION = Regex("""(?:@?user_script|\[string "[^"]*"]):(?:\s*)(\d+)""")

        /** Of resources, by their names in `lua/`; [transform] is for tests. */
        fun of(
            names: List<String>,
            transform: (String) -> String,
        ): Script {
            val texts = names.map { Section(it, read(it)) }
            val whole = texts.joinToString("") { it.text }
            val transformed = transform(whole)
            return if (transformed == whole) Script(texts) else Script(listOf(Section(names.last(), transformed)))
        }

        private fun read(name: String): String =
            checkNotNull(Script::class.java.getResource("/io/signalbox/lua/$name.lua")) {
                "Script $name.lua is missing from the jar."
            }.readText()
    }
}
