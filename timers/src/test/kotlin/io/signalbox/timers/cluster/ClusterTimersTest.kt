package io.signalbox.timers.cluster

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.signalbox.Signalbox
import io.signalbox.testkit.RedisTopology
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Timers
import io.signalbox.timers.behaviour.Log
import io.signalbox.timers.behaviour.Note
import io.signalbox.timers.behaviour.Notes
import io.signalbox.timers.behaviour.PATIENCE
import io.signalbox.timers.behaviour.note
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout

/** Timers whose shards are on different masters. */
class ClusterTimersTest : FunSpec({
    test("a master dies with timers on it: each is handled, none early, and those of other masters do not wait") {
        withContext(Dispatchers.Default) {
            RedisTopology.cluster().use { cluster ->
                withTimeout(PATIENCE * 2) {
                    val log = Log()
                    val clients = List(2) { Signalbox.connectCluster(cluster.uri) { lease = 30.seconds } }
                    val services = clients.map { client ->
                        Timers(client, log) {
                            on(Notes, handler = { note(it) })
                            shards = 9
                        }
                    }
                    val ids = List(60) { "t-$it" }
                    services[0].scheduleAll(Notes, ids.map { NewTimer(it, Note(it), 3.seconds) })
                    cluster.masters.forEach { it.command("WAIT", "1", "10000") shouldBe "1" }
                    val workers = services.map { launch { it.run() } }

                    cluster.kill(cluster.masters.first())

                    val handled = List(60) { log.next() }
                    handled.map { it.id }.distinct() shouldContainExactlyInAnyOrder ids
                    // A token is the moment at which it was taken, by the clock of its master.
                    check(handled.all { it.token / 1000 >= it.due.toEpochMilli() }) { "one came early" }
                    services[1].schedule(Notes, "after", Note("after"), after = 1.milliseconds)
                    log.next().id shouldBe "after"
                    workers.forEach { it.cancelAndJoin() }
                    clients.forEach { it.closeAndJoin() }
                }
            }
        }
    }
})
