package io.signalbox.timers

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.signalbox.Signalbox
import io.signalbox.internal.BackendOwner
import io.signalbox.internal.SignalboxBackend
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.behaviour.Log
import io.signalbox.timers.behaviour.Note
import io.signalbox.timers.behaviour.Notes
import io.signalbox.timers.behaviour.freshNamespace
import io.signalbox.timers.behaviour.note
import io.signalbox.timers.internal.DefaultTimers
import io.signalbox.timers.internal.redis.RedisTimerLedger
import io.signalbox.timers.internal.redis.TimerKeys
import io.signalbox.timers.internal.redis.TimerScripts
import java.time.Instant
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.TimeSource
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** A client whose clock is an hour off, in either direction: seen from there, the server's clock is. */
class ClockSkewSpec : FunSpec({
    for (skew in listOf((-60).minutes, 60.minutes)) {
        test("timers come in time if the server's clock is $skew off") {
            withContext(Dispatchers.Default) {
                val signalbox = Signalbox.connect(RedisServer.shared().uri) { namespace = freshNamespace() }
                val log = Log()
                val settings = TimersSettings<Log>().apply {
                    // No claim lapses however slow the machine is: a second delivery would look like an early one.
                    takeoverAfter = 1.hours
                    on(Notes) { note(it) }
                }
                val shifted =
                    "(function() local t = redis.call('TIME') t[1] = string.format('%.0f', t[1] + ${skew.inWholeSeconds}) return t end)()"
                val timers =
                    DefaultTimers(signalbox as BackendOwner, log, settings) { backend, config ->
                        val line = (backend.store as SignalboxBackend.Store.Redis).line
                        val keys = TimerKeys(backend.namespace, config.name, config.timelineKey, config.payloadsKey)
                        RedisTimerLedger(line, keys, announceInScript = true, TimerScripts { it.replace("redis.call('TIME')", shifted) })
                    }
                val run = launch { timers.run() }
                repeat(5) {
                    val begun = TimeSource.Monotonic.markNow()
                    timers.schedule(Notes, "after", Note("x"), after = 60.milliseconds)
                    log.next()
                    begun.elapsedNow() shouldBeGreaterThanOrEqualTo 60.milliseconds
                    val at = Instant.now() + skew + 60.milliseconds
                    timers.schedule(Notes, "at", Note("x"), at = at)
                    log.next()
                    (Instant.now() + skew) shouldBeGreaterThanOrEqualTo at
                }
                run.cancelAndJoin()
                signalbox.closeAndJoin()
            }
        }
    }
})
