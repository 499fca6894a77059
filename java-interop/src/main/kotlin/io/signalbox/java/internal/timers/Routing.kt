@file:OptIn(InternalSignalboxApi::class)

package io.signalbox.java.internal.timers

import io.signalbox.InternalSignalboxApi
import io.signalbox.java.internal.Nulls
import io.signalbox.java.internal.awaitOrCancel
import io.signalbox.java.internal.core
import io.signalbox.java.internal.kotlin
import io.signalbox.java.timers.BlockingTimerHandler
import io.signalbox.java.timers.FiredTimer
import io.signalbox.java.timers.TimerCodec
import io.signalbox.java.timers.TimerHandler
import io.signalbox.java.timers.TimerInterceptor
import io.signalbox.java.timers.TimerRouter
import io.signalbox.java.timers.Topic
import io.signalbox.java.timers.TopicOptions
import io.signalbox.timers.TimerCodec as CoreCodec
import io.signalbox.timers.TimerInterceptor as CoreInterceptor
import io.signalbox.timers.TimerRouter as CoreRouter
import io.signalbox.timers.TimerRouterBuilder
import io.signalbox.timers.TimerScope
import io.signalbox.timers.Topic as CoreTopic
import io.signalbox.timers.TopicSettings
import io.signalbox.timers.internal.CallSite
import io.signalbox.timers.timerRouter
import io.signalbox.timers.topic
import java.util.concurrent.CompletionStage
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.future.future
import kotlinx.coroutines.runInterruptible

/** What handlers of a service run with. */
internal class HandlerContext(
    val blocking: CoroutineDispatcher,
)

internal class RouterView(
    val core: CoreRouter<HandlerContext>,
) : TimerRouter {
    override fun toString(): String = core.toString()
}

/** Behind [TimerRouter.builder]. */
internal class RouterBuilder : TimerRouter.Builder {
    private val steps = mutableListOf<TimerRouterBuilder<HandlerContext>.() -> Unit>()

    override fun <T : Any> handler(
        topic: Topic<T>,
        options: TopicOptions,
        handler: TimerHandler<in T>,
    ): TimerRouter.Builder =
        apply {
            val place = CallSite.find()
            Nulls.given(topic, "topic")
            Nulls.given(options, "options")
            Nulls.given(handler, "handler")
            steps += {
                on(topic.core(), { take(options) }, place) { payload ->
                    val stage: CompletionStage<*>? = handler.handle(payload, fired())
                    if (stage == null) throw NullPointerException("The handler returned null instead of a stage.")
                    stage.awaitOrCancel()
                }
            }
        }

    override fun <T : Any> blockingHandler(
        topic: Topic<T>,
        options: TopicOptions,
        handler: BlockingTimerHandler<in T>,
    ): TimerRouter.Builder =
        apply {
            val place = CallSite.find()
            Nulls.given(topic, "topic")
            Nulls.given(options, "options")
            Nulls.given(handler, "handler")
            steps += {
                on(topic.core(), { take(options) }, place) { payload ->
                    val timer = fired()
                    runInterruptible(context.blocking) { handler.handle(payload, timer) }
                }
            }
        }

    override fun include(router: TimerRouter): TimerRouter.Builder =
        apply {
            val core = Nulls.given(router, "router").core()
            steps += { include(core) }
        }

    override fun build(): TimerRouter = RouterView(timerRouter { steps.forEach { it() } })
}

internal fun TimerScope<HandlerContext>.fired() = FiredTimer(topic, id, due, attempt, fencingToken, metadata)

internal fun TimerInterceptor.core() =
    CoreInterceptor<HandlerContext> { timer, proceed ->
        coroutineScope {
            val stage: CompletionStage<*>? = around(timer.fired()) { future { proceed() } }
            if (stage == null) throw NullPointerException("The interceptor returned null instead of a stage.")
            stage.awaitOrCancel()
        }
    }

internal fun TimerRouter.core(): CoreRouter<HandlerContext> =
    requireNotNull(this as? RouterView) { "A router must be made by TimerRouter.builder(), but was $this." }.core

internal fun <T : Any> Topic<T>.core(): CoreTopic<T> = topic(name(), CodecBridge(name(), codec()))

private class CodecBridge<T : Any>(
    private val topic: String,
    private val codec: TimerCodec<T>,
) : CoreCodec<T> {
    override fun encode(payload: T): ByteArray = made(codec.encode(payload), "bytes")

    override fun decode(bytes: ByteArray): T = made(codec.decode(bytes), "a payload")

    private fun <V : Any> made(
        value: V?,
        what: String,
    ): V = value ?: throw NullPointerException("The codec of topic '$topic' returned null instead of $what.")
}

private fun TopicSettings.take(options: TopicOptions) {
    options.attempts().ifPresent { attempts = it }
    options.backoff().ifPresent { backoff = it.kotlin() }
    options.backoffFactor().ifPresent { backoffFactor = it }
    options.maxBackoff().ifPresent { maxBackoff = it.kotlin() }
    options.backoffJitter().ifPresent { backoffJitter = it }
    options.timeout().ifPresent { timeout = it.kotlin() }
    options.concurrency().ifPresent { concurrency = it }
    options.semaphore().ifPresent { semaphore = it.core() }
}
