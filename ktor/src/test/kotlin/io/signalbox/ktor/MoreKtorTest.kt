package io.signalbox.ktor

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.config.yaml.YamlConfig
import io.ktor.server.plugins.di.dependencies
import io.ktor.server.testing.testApplication
import io.signalbox.Signalbox as Client
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.Timers
import io.signalbox.timers.topic
import java.io.File

/** With the parts of Ktor that not every set of its artifacts has. */
class MoreKtorTest :
    FunSpec({
        test("settings come from application.yaml") {
            val file = File.createTempFile("application", ".yaml")
            file.deleteOnExit()
            file.writeText("signalbox:\n  redis: \"${RedisServer.shared().uri}\"\n  namespace: ktor-yaml\n  lease: PT20S\n")
            testApplication {
                environment { config = YamlConfig(file.path)!! }
                install(Signalbox)
                var inside: Application? = null
                application { inside = this }
                startApplication()
                inside!!.signalbox.semaphore("s", permits = 1)
            }
            RedisServer.shared().command("KEYS", "ktor-yaml:*") shouldContain "ktor-yaml:sem:{s}"
        }

        test("client and timers are dependencies, and stay the plugin's") {
            val client = Client.inMemory()
            testApplication {
                install(Signalbox) {
                    use(client)
                    timers { declare(topic<String>("notes")) }
                }
                application {
                    provideSignalbox()
                    val injected: Client by dependencies
                    val timers: Timers by dependencies
                    injected shouldBeSameInstanceAs client
                    timers shouldBeSameInstanceAs this.timers
                }
                startApplication()
            }
        }
    })
