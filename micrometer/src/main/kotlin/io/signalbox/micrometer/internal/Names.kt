package io.signalbox.micrometer.internal

import io.signalbox.Observation
import io.signalbox.micrometer.SignalboxMetricsSettings
import java.util.concurrent.ConcurrentHashMap

/** Which names have a tag of their own: never more than are allowed, whatever names there are. */
internal class Names(
    private val settings: SignalboxMetricsSettings,
) {
    private val chosen = ConcurrentHashMap<Pair<Observation.Kind, String>, String>()
    private val values = HashSet<String>()

    /** `null` for what has none. Names without one are asked for again, and not remembered: there may be any number of them. */
    fun tag(
        kind: Observation.Kind,
        name: String,
    ): String? {
        val key = kind to name
        chosen[key]?.let { return it }
        val tag = settings.nameTag(kind, name) ?: return null
        synchronized(values) {
            if (tag !in values && values.size >= settings.maxNames) return null
            values += tag
            // Many names may share a tag.
            if (chosen.size < settings.maxNames) chosen[key] = tag
        }
        return tag
    }
}
