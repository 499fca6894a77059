package io.signalbox.consumer

import io.signalbox.Signalbox
import io.signalbox.testkit.RedisServer
import io.signalbox.withPermit
import kotlinx.coroutines.runBlocking
import org.springframework.boot.CommandLineRunner
import org.springframework.boot.autoconfigure.SpringBootApplication
import org.springframework.boot.runApplication
import org.springframework.context.annotation.Bean

@SpringBootApplication(proxyBeanMethods = false)
class BootMain {
    @Bean
    fun signalbox(): Signalbox = Signalbox.connect(RedisServer.shared().uri)

    @Bean
    fun runner(signalbox: Signalbox) =
        CommandLineRunner {
            runBlocking { check(signalbox.semaphore("boot", permits = 1).withPermit { it.isLost }.not()) }
            runCases()
        }
}

fun main() = runApplication<BootMain>().close()
