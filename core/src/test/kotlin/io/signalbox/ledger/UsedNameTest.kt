package io.signalbox.ledger

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisClient
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.codec.StringCodec
import io.lettuce.core.output.ValueListOutput
import io.lettuce.core.protocol.AsyncCommand
import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import io.signalbox.behaviour.freshNamespace
import io.signalbox.internal.ledger.AcquireRun
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.QueueRun
import io.signalbox.internal.ledger.Words
import io.signalbox.internal.memory.SemaphoreState
import io.signalbox.internal.memory.execute
import io.signalbox.internal.memory.open
import io.signalbox.internal.redis.AnswerParser
import io.signalbox.internal.redis.Keys
import io.signalbox.internal.redis.Script
import io.signalbox.internal.redis.ScriptArgs.addExchange
import io.signalbox.internal.redis.ScriptArgs.addOpening
import io.signalbox.internal.redis.Scripts
import io.signalbox.testkit.RedisServer
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds

private const val RETENTION = 60_000L
private const val NOW = 1_800_000_000_000L

/**
 * An opening and an exchange that both arrive a second time, after their session has said goodbye. The name is used again, which the
 * server cannot know; the count of the queue and its places must agree all the same, or everybody behind them waits for nobody.
 */
class UsedNameTest : FunSpec({
    timeout = 60.seconds.inWholeMilliseconds

    fun opening(session: String) =
        Opening(session, "", "label", "inbox", 30_000, RETENTION, 1, true, 0, "epoch", 0, 0, emptyList())

    fun exchange(
        session: String,
        number: Long,
        acquires: Int = 0,
        leaves: List<QueueRun> = emptyList(),
        goodbye: Boolean = false,
    ): Exchange {
        val runs = if (acquires == 0) emptyList() else listOf(AcquireRun(acquires, weight = 1, holdMillis = -1, waits = true))
        return Exchange(session, number, "epoch", "inbox", Words(), 0, runs, leaves = leaves, goodbye = goodbye)
    }

    val late = exchange("b.1", 1, acquires = 2)

    /** The places that are given up have the tickets that were given. */
    fun goodbye(ticket: Long) = exchange("b.1", 0, leaves = listOf(QueueRun(0, ticket, 2)), goodbye = true)

    val calls: List<Any> =
        listOf(
            opening("a.1"),
            // Holds the permit, and has the turn: whoever comes next gets a place in the queue.
            exchange("a.1", 1, acquires = 3),
            opening("b.1"),
            late,
            ::goodbye,
            opening("b.1"),
            late,
        )

    test("in the rules") {
        var state: SemaphoreState? = null
        var ticket = 0L
        val queued = calls.map { call ->
            if (call is Opening) {
                state = open(state, call, NOW * 1000).first
            } else {
                val exchange = call as? Exchange ?: goodbye(ticket)
                ticket = (state!!.execute(exchange, NOW * 1000, bound = 100).answer as Answer.Done).firstTicket
            }
            state!!.queue.values.sumOf { it.count }
        }
        queued shouldBe listOf(0, 0, 0, 2, 0, 0, 2)
    }

    test("on a server") {
        val client = RedisClient.create(RedisServer.shared().uri)
        client.connect(ByteArrayCodec.INSTANCE).use { connection ->
            client.connect(StringCodec.UTF8).use { inspection ->
                val keys = Keys(freshNamespace()).of(LedgerName(Kind.SEMAPHORE, "used"))

                fun call(
                    script: Script,
                    arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
                ): List<ByteArray> {
                    val args = script.call(script.body, keys).apply(arguments)
                    val command = AsyncCommand(Command(CommandType.EVAL, ValueListOutput(ByteArrayCodec.INSTANCE), args))
                    connection.dispatch(command)
                    return command.toCompletableFuture().get(30, TimeUnit.SECONDS)
                }

                var ticket = 0L
                val queued = calls.map { call ->
                    if (call is Opening) {
                        call(Scripts.production.open) { addOpening(call) }
                    } else {
                        val exchange = call as? Exchange ?: goodbye(ticket)
                        val reply = call(Scripts.production.exchange) { addExchange(exchange, false, RETENTION) }
                        ticket = (AnswerParser.exchanged(reply[0], exchange) as Answer.Done).firstTicket
                    }
                    // Which checks that the places are as many as are counted.
                    inspection.sync().dump(keys.map { String(it) }, offset = 0)
                    inspection.sync().hget(String(keys[0]), "queued").toInt()
                }
                queued shouldBe listOf(0, 0, 0, 2, 0, 0, 2)
                inspection.sync().del(*keys.map { String(it) }.toTypedArray())
            }
        }
        client.shutdown()
    }
})
