package io.signalbox.examples.demo.semaphore

import io.lettuce.core.RedisClient
import io.lettuce.core.RedisException
import io.signalbox.Signalbox
import io.signalbox.examples.demo.DemoFailure
import io.signalbox.testkit.RedisServer
import kotlin.random.Random
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withContext

/** Runs the demo: a Redis if none is given, a semaphore and a register on it, the workers, and the judgement. */
internal class SemaphoreDemo(private val plan: Plan, private val view: View) {
    /** Returns whether the semaphore has kept its promises. */
    suspend fun run(): Boolean = withContext(Dispatchers.IO.limitedParallelism(1)) {
        if (plan.redisUri != null) {
            perform(plan.redisUri, redisPid = null)
        } else {
            startRedis().use { perform(it.uri, it.pid) }
        }
    }

    private fun startRedis() = try {
        RedisServer.start {}
    } catch (e: IllegalStateException) {
        throw DemoFailure("no Redis could be started; name one with --redis URI. ${e.message}", e)
    }

    private suspend fun perform(redisUri: String, redisPid: Long?): Boolean {
        val client = RedisClient.create(redisUri)
        try {
            return perform(client, redisUri, redisPid)
        } finally {
            client.shutdownAsync().await()
        }
    }

    private suspend fun perform(client: RedisClient, redisUri: String, redisPid: Long?): Boolean {
        val name = "demo-%08x".format(Random.nextInt())
        val register = FencedRegister(connect(client, redisUri), name)
        val signalbox = Signalbox(client) {
            lease = plan.lease
            retention = plan.retention
            label = "demo"
        }
        val semaphore = signalbox.semaphore(name, plan.permits)
        val crew = Crew { number -> plan.briefing(number, name, redisUri, redisPid) }

        view.open(addressOf(redisUri))
        val evidence = crew.use { view.use { Performance(plan, view, semaphore, register, crew).run() } }
        register.delete()
        signalbox.closeAndJoin()

        val findings = verify(evidence)
        view.conclude(findings, verdict(evidence, findings, crew.members.size))
        return findings.all { it.kept }
    }

    private fun connect(client: RedisClient, uri: String) = try {
        client.connect()
    } catch (e: RedisException) {
        val reason = generateSequence<Throwable>(e) { it.cause }.last().message
        throw DemoFailure("Redis at ${addressOf(uri)} cannot be reached: $reason", e)
    }

    private fun verdict(evidence: Evidence, findings: List<Finding>, processes: Int): String {
        val broken = findings.filterNot { it.kept }.map { it.promise }
        if (broken.isNotEmpty()) return "demo: VIOLATION ${broken.size} of ${findings.size} promises broken: ${broken.joinToString()}"
        val kill = checkNotNull(evidence.kill)
        val comeback = checkNotNull(comeback(kill, evidence.turns, evidence.permits))
        val delay = (comeback.grantedAt - kill.at).nanoseconds
        return "demo: ok ${evidence.turns.size} grants, $processes processes, 1 kill, " +
            "came back after ${delay.inSeconds()} of lease ${evidence.lease.inSeconds()}"
    }
}
