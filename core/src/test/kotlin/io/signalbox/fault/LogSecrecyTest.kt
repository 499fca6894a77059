package io.signalbox.fault

import ch.qos.logback.classic.Level
import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.classic.spi.ThrowableProxyUtil
import ch.qos.logback.core.read.ListAppender
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrowAny
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldNotContain
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import org.slf4j.LoggerFactory

private const val PASSWORD = "correct-horse-battery"
private const val PUBLIC = 8

/** What releases a permit, or opens the server, is in no log and no exception, however things fail. */
class LogSecrecyTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    /** All that this library, or what it uses, logs during [scene], at the finest level of the former. */
    suspend fun logged(scene: suspend () -> Unit): List<String> {
        val appender = ListAppender<ILoggingEvent>().apply { start() }
        val root = LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME) as Logger
        val ours = LoggerFactory.getLogger("io.signalbox") as Logger
        val before = ours.level
        root.addAppender(appender)
        ours.addAppender(appender)
        ours.isAdditive = false
        ours.level = Level.DEBUG
        try {
            scene()
        } finally {
            ours.level = before
            ours.isAdditive = true
            ours.detachAppender(appender)
            root.detachAppender(appender)
        }
        return appender.list.toList().map { "${it.formattedMessage} ${it.throwableProxy?.let(ThrowableProxyUtil::asString)}" }
    }

    test("failures of every kind log and throw no secret") {
        onStage({ password(PASSWORD) }) {
            val secrets = mutableSetOf(PASSWORD)
            val errors = mutableListOf<String>()
            val lines =
                logged {
                    val client = client(proxied, lease = 6.seconds) { storeTimeout = 3.seconds }
                    val semaphore = client.semaphore("secret", 1)
                    val permit = semaphore.acquire()
                    val waiter = async { semaphore.acquire() }
                    stored("secret").awaitQueued(1)
                    val session = stored("secret").members("sessions").single()
                    secrets += session.drop(PUBLIC).substringBefore('.')
                    errors += listOf("$client", "$semaphore", "$permit", "${semaphore.snapshot()}")

                    // The blocking connection alone; all; a script error; the loss of everything; no server.
                    redis.command("CLIENT", "LIST").lines().filter { "cmd=blpop" in it }.forEach {
                        redis.command("CLIENT", "KILL", "ID", it.substringAfter("id=").substringBefore(' '))
                    }
                    proxy.cut()
                    eventually(30.seconds) { semaphore.permits() shouldBe 1 }
                    redis.command("SET", stored("other").keys.getValue("state"), "something else")
                    errors += shouldThrowAny { client.semaphore("other", 1) }.stackTraceToString()
                    errors +=
                        shouldThrowAny { client(redis.uriFor("default", "not-$PASSWORD")).semaphore("secret", 1) }.stackTraceToString()
                    redis.command("FLUSHALL")
                    eventually(30.seconds) { stored("secret").queued shouldBe 1 }
                    proxy.refuseConnections()
                    proxy.cut()
                    errors += shouldThrowAny { semaphore.tryAcquire() }.stackTraceToString()
                    eventually(30.seconds) { permit.isLost shouldBe true }
                    waiter.cancelAndJoin()
                    client.close()
                    errors += shouldThrowAny { semaphore.acquire() }.stackTraceToString()
                    proxy.refuseConnections(false)
                    client.closeAndJoin()
                }

            secrets.size shouldBe 2
            lines.filter { "io.signalbox" in it || "connection" in it }.shouldNotBeEmpty()
            (lines + errors).forEach { text -> secrets.forEach { text shouldNotContain it } }
        }
    }
})
