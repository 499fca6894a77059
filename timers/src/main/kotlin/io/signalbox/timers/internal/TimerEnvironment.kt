package io.signalbox.timers.internal

import io.signalbox.timers.TimersSettings
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import org.slf4j.LoggerFactory

/** The environment variables that people use for a service of timers, and what has become of them. */
internal object TimerEnvironment {
    private val log = LoggerFactory.getLogger(TimerEnvironment::class.java)
    private val LEAST_CHECK = 1.seconds

    fun apply(
        settings: TimersSettings<*>,
        environment: Map<String, String>,
    ) {
        val given = Given(environment)
        given["TIMERS_TIMELINE_KEY"]?.let { settings.timelineKey = it }
        given["TIMERS_PAYLOADS_KEY"]?.let { settings.payloadsKey = it }
        given.number("TIMERS_CONCURRENT_PROCESSING_LIMIT") { it >= 1 && it % 1 == 0.0 }?.let { settings.concurrency = it.toInt() }
        given.number("TIMERS_HANDLING_SLEEP") { it > 0 }?.let { applySleep(settings, it) }
        val least = given.number("TIMERS_HANDLING_JITTER_MIN_VALUE") { it > 0 }
        val most = given.number("TIMERS_HANDLING_JITTER_MAX_VALUE") { it > 0 }
        if (least != null || most != null) {
            val range = settings.safetyCheckJitter
            settings.safetyCheckJitter = (least ?: minOf(range.start, most!!))..(most ?: maxOf(range.endInclusive, least!!))
        }
        given["TIMERS_SEPARATOR"]?.let {
            log.warn("TIMERS_SEPARATOR has no meaning here: topic and id are stored apart, so any character may be part of either.")
        }
    }

    /** Seconds between two polls, there. */
    private fun applySleep(
        settings: TimersSettings<*>,
        seconds: Double,
    ) {
        val wanted = (seconds * 1000).milliseconds
        settings.safetyCheck = maxOf(wanted, LEAST_CHECK)
        if (wanted < LEAST_CHECK) {
            log.warn(
                "TIMERS_HANDLING_SLEEP of $wanted is taken as $LEAST_CHECK: workers do not poll, they are woken in time whatever it is. " +
                    "It only says how often an idle worker makes sure that it missed nothing.",
            )
        }
    }

    private class Given(
        private val environment: Map<String, String>,
    ) {
        operator fun get(name: String): String? = environment[name]?.trim()?.takeIf { it.isNotEmpty() }

        fun number(
            name: String,
            isGood: (Double) -> Boolean,
        ): Double? {
            val text = get(name) ?: return null
            val value = text.toDoubleOrNull()
            require(value != null && value.isFinite() && isGood(value)) {
                "The environment variable $name must be a positive number, a whole one if it counts something, but is \"${text.take(40)}\"."
            }
            return value
        }
    }
}
