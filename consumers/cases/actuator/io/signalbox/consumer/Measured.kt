package io.signalbox.consumer

import io.micrometer.core.instrument.MeterRegistry
import io.signalbox.Signalbox
import io.signalbox.micrometer.SignalboxMetrics
import io.signalbox.withPermit
import kotlinx.coroutines.runBlocking
import org.springframework.boot.CommandLineRunner
import org.springframework.context.annotation.Bean
import org.springframework.context.annotation.Configuration

/** With the actuator a bean is all there is to write: nobody here binds it. */
@Configuration(proxyBeanMethods = false)
class Measured {
    @Bean
    fun signalboxMetrics(signalbox: Signalbox): SignalboxMetrics = SignalboxMetrics(signalbox)

    @Bean
    fun measuredRunner(
        signalbox: Signalbox,
        registry: MeterRegistry,
    ) = CommandLineRunner {
        runBlocking { signalbox.semaphore("measured", permits = 1).withPermit { } }
        val granted = registry.get("signalbox.acquire").tags("name", "measured", "outcome", "granted").timer()
        check(granted.count() == 1L) { "The metrics were not bound: $granted" }
    }
}
