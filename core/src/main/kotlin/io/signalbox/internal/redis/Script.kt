package io.signalbox.internal.redis

import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.protocol.CommandArgs
import io.signalbox.InternalSignalboxApi
import java.security.MessageDigest
import java.util.Locale

/**
 * A Lua script, made of the texts of [sections] one behind the other, and the name under which a server has cached it.
 *
 * A script that is [toldOfFirstRun] gets `first` as one argument more where the server did not know it: the cache of scripts ends with the process
 * of the server, so that is how it hears that the server was started anew, before anybody else's run of it can have gone unmarked.
 */
@InternalSignalboxApi
public class Script internal constructor(
    private val sections: List<Section>,
    private val toldOfFirstRun: Boolean = false,
) {
    public constructor(text: String, toldOfFirstRun: Boolean = false) : this(listOf(Section("script", text)), toldOfFirstRun)

    /** The whole of it. */
    public val text: String get() = String(body)

    internal val body: ByteArray = sections.joinToString("") { it.text }.toByteArray()
    internal val sha: ByteArray =
        MessageDigest
            .getInstance("SHA-1")
            .digest(body)
            .joinToString("") { "%02x".format(Locale.ROOT, it) }
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

    /** The whole of EVAL, for a server that does not know the script. */
    internal fun firstCall(
        keys: List<ByteArray>,
        arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
    ): CommandArgs<ByteArray, ByteArray> = call(body, keys).apply(arguments).apply { if (toldOfFirstRun) add(FIRST) }

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
        private val FIRST = "first".toByteArray()
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
