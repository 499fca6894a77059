package io.signalbox.examples.demo.semaphore

import java.util.Locale
import kotlin.random.Random
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** Runs the demo: a Redis if none is given, a semaphore and a register on it, the workers, and the judgement. */
internal class SemaphoreDemo(private val plan: Plan, private val view: View) {
    /** Returns whether the semaphore has kept its promises. */
    suspend fun run(): Boolean = withContext(Dispatchers.IO.limitedParallelism(1)) {
        if (plan.redisUri != null) {
            perform(plan.redisUri, servers = null)
        } else {
            Servers.start(plan.topology).use { perform(it.uri, it) }
        }
    }

    private suspend fun perform(redisUri: String, servers: Servers?): Boolean {
        val access = Access.to(redisUri, plan.topology == Topology.CLUSTER)
        try {
            return perform(access, redisUri, servers)
        } finally {
            access.close()
        }
    }

    private suspend fun perform(access: Access, redisUri: String, servers: Servers?): Boolean {
        val name = "demo-%08x".format(Locale.ROOT, Random.nextInt())
        val register = FencedRegister(access.commands, name)
        val signalbox = access.signalbox {
            lease = plan.lease
            retention = plan.retention
            label = "demo"
        }
        val semaphore = signalbox.semaphore(name, plan.permits)
        val crew = Crew { number -> plan.briefing(number, name, redisUri, servers?.pids.orEmpty()) }

        view.open(addressOf(redisUri))
        val evidence = crew.use { view.use { Performance(plan, view, semaphore, register, crew, servers).run() } }
        register.delete()
        signalbox.closeAndJoin()

        val findings = verify(evidence)
        view.conclude(findings, verdict(evidence, findings, crew.members.size))
        return findings.all { it.kept }
    }

    private fun verdict(evidence: Evidence, findings: List<Finding>, processes: Int): String {
        val broken = findings.filterNot { it.kept }.map { it.promise }
        if (broken.isNotEmpty()) return "demo: VIOLATION ${broken.size} of ${findings.size} promises broken: ${broken.joinToString()}"
        val kill = checkNotNull(evidence.kill)
        val comeback = checkNotNull(comeback(kill, evidence.turns, evidence.permits))
        val delay = (comeback.grantedAt - kill.at).nanoseconds
        val primary = if (evidence.failover == null) "" else " and 1 of the primary"
        return "demo: ok ${evidence.turns.size} grants, $processes processes, 1 kill$primary, " +
            "came back after ${delay.inSeconds()} of lease ${evidence.lease.inSeconds()}"
    }
}
