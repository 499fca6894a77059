package io.signalbox.timers

import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.core.read.ListAppender
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.time.Duration.Companion.seconds
import org.slf4j.LoggerFactory

/** The environment variables of polling timer services. */
class EnvironmentSpec : FunSpec({
    fun settings(vararg variables: Pair<String, String>) = TimersSettings<Unit>().apply {
        fromEnvironment(mapOf(*variables))
        check()
    }

    fun warnings(block: () -> Unit): List<String> {
        val logger = LoggerFactory.getLogger("io.signalbox.timers.internal.TimerEnvironment") as Logger
        val appender = ListAppender<ILoggingEvent>().apply { start() }
        logger.addAppender(appender)
        try {
            block()
        } finally {
            logger.detachAppender(appender)
        }
        return appender.list.map { it.formattedMessage }
    }

    test("nothing given, nothing changed") {
        settings().run { listOf(timelineKey, payloadsKey, concurrency, safetyCheck) } shouldBe
            TimersSettings<Unit>().run { listOf(timelineKey, payloadsKey, concurrency, safetyCheck) }
    }

    test("what has a meaning is applied") {
        warnings {
            settings(
                "TIMERS_TIMELINE_KEY" to "app:timeline",
                "TIMERS_PAYLOADS_KEY" to " app:payloads ",
                "TIMERS_CONCURRENT_PROCESSING_LIMIT" to "5",
                "TIMERS_HANDLING_SLEEP" to "12.5",
                "TIMERS_HANDLING_JITTER_MIN_VALUE" to "0.5",
                "TIMERS_HANDLING_JITTER_MAX_VALUE" to "2",
            ).run {
                timelineKey shouldBe "app:timeline"
                payloadsKey shouldBe "app:payloads"
                concurrency shouldBe 5
                safetyCheck shouldBe 12.5.seconds
                safetyCheckJitter shouldBe 0.5..2.0
            }
        } shouldHaveSize 0
        settings("TIMERS_HANDLING_JITTER_MAX_VALUE" to "0.5").safetyCheckJitter shouldBe 0.5..0.5
    }

    test("what has none is accepted, and the warning says why") {
        warnings { settings("TIMERS_SEPARATOR" to "--") }.single() shouldContain "TIMERS_SEPARATOR has no meaning here: topic and id"
        warnings { settings("TIMERS_HANDLING_SLEEP" to "0.05").safetyCheck shouldBe 1.seconds }.single() shouldContain "do not poll"
    }

    test("what cannot be used is refused by name") {
        for ((name, value) in listOf(
            "TIMERS_CONCURRENT_PROCESSING_LIMIT" to "0",
            "TIMERS_CONCURRENT_PROCESSING_LIMIT" to "2.5",
            "TIMERS_CONCURRENT_PROCESSING_LIMIT" to "many",
            "TIMERS_HANDLING_SLEEP" to "-1",
            "TIMERS_HANDLING_JITTER_MIN_VALUE" to "NaN",
        )) {
            shouldThrow<IllegalArgumentException> { settings(name to value) }.message shouldContain name
        }
    }
})
