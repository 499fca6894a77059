package io.signalbox.ktor.internal

import io.ktor.server.config.ApplicationConfig
import kotlin.time.Duration

/** Reads the part of the application's configuration that is ours. */
internal class ConfigReader(
    private val config: ApplicationConfig,
    private val known: List<String>,
) {
    fun requireKnown() {
        val unknown = config.keys().map { it.substringBefore('.') }.filter { it !in known }.distinct()
        require(unknown.isEmpty()) {
            "The configuration has unknown keys under 'signalbox': ${unknown.joinToString()}. Known are: ${known.joinToString()}."
        }
    }

    fun text(key: String): String? = config.propertyOrNull(key)?.getString()

    fun flag(key: String): Boolean? =
        text(key)?.let { text ->
            requireNotNull(text.lowercase().toBooleanStrictOrNull()) { "signalbox.$key must be true or false, but was '$text'." }
        }

    fun duration(key: String): Duration? =
        text(key)?.let { text ->
            requireNotNull(Duration.parseOrNull(text)) {
                "signalbox.$key must be a duration such as 30s, 1m 30s or PT30S, but was '$text'."
            }
        }
}
